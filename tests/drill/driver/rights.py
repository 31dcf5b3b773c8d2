"""A role without one of its permissions, for as long as a `with` block lasts."""

import json
from contextlib import contextmanager

from .accounts import client


@contextmanager
def without(account, role, *actions, on=""):
    """The role may all but these actions, or all but these on what is called so."""
    iam, every = client("iam", account), documents(account, role)
    managed = _managed(iam, role)
    lesser = {name: _lesser(document, actions, on) for name, document in every.items()}
    if lesser == every:
        raise AssertionError(f"{role} has no permission for {actions}")
    try:
        _put(iam, role, {name: document for name, document in lesser.items() if document["Statement"]})
        for arn in managed:
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        yield
    finally:
        for arn in managed:
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        names = {arn.rsplit("/", 1)[-1] for arn in managed}
        _put(iam, role, {name: document for name, document in every.items() if name not in names})


def documents(account, role):
    """A role's policies by their names."""
    iam = client("iam", account)
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in inline}
    for arn in _managed(iam, role):
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found[arn.rsplit("/", 1)[-1]] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return {name: json.loads(one) if isinstance(one, str) else one for name, one in found.items()}


def _managed(iam, role):
    return [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]


def _put(iam, role, wanted):
    """There is no moment at which it has less than wanted: somebody may be using it."""
    for name, document in wanted.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        if name not in wanted:
            iam.delete_role_policy(RoleName=role, PolicyName=name)


def _lesser(document, actions, on):
    statements = []
    for statement in document["Statement"]:
        given = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        kept = [action for action in given if action not in actions]
        if statement["Effect"] == "Deny" or kept == given:
            statements.append(statement)
        elif on:
            others = [one for one in statement["Resource"] if not one.endswith(on)]
            statements.append(statement | {"Resource": others})
        elif kept:
            statements.append(statement | {"Action": kept})
    return document | {"Statement": statements}
