"""A role without one of its permissions, for as long as a `with` block lasts."""

import json
from contextlib import contextmanager

from .accounts import client, pages


@contextmanager
def without(account, role, *actions):
    """The role may all but these actions; none at all where none is named."""
    iam = client("iam", account)
    inline = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
              for name in iam.list_role_policies(RoleName=role)["PolicyNames"]}
    managed = [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]
    documents = inline | {arn.rsplit("/", 1)[-1]: _document(iam, arn) for arn in managed}
    lesser, removed = {}, 0
    for name, document in documents.items():
        lesser[name], count = _lesser(document, actions)
        removed += count
    if not removed:
        raise AssertionError(f"{role} has no permission for {actions or 'anything'}")
    try:
        for arn in managed:
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        for name, document in lesser.items():
            if document["Statement"]:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
            elif name in inline:
                iam.delete_role_policy(RoleName=role, PolicyName=name)
        yield
    finally:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        for name, document in inline.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        for arn in managed:
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def roles_of_functions(account):
    """The roles of an account's functions, by the functions' names."""
    found = pages("lambda", account, "list_functions", "Functions")
    return {one["FunctionName"]: one["Role"].rsplit("/", 1)[-1] for one in found}


def _document(iam, arn):
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _lesser(document, actions):
    document = json.loads(document) if isinstance(document, str) else document
    statements, removed = [], 0
    for statement in document["Statement"]:
        given = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        kept = [action for action in given if actions and action not in actions]
        removed += len(given) - len(kept) if statement["Effect"] == "Allow" else 0
        if kept or statement["Effect"] == "Deny":
            statements.append(statement | {"Action": kept if statement["Effect"] == "Allow" else given})
    return document | {"Statement": statements}, removed
