"""Who may do what on RDS: identity policies with every resource of a request and its tags, and key policies of the keys that
RDS uses on somebody's behalf. The emulator's own check knows one resource of a request and no tags.
"""

import json

from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import EvalContext, EvalResult
from ministack.services import kms

from . import servers
from .answer import Refusal
from .request import CALLER

# Services whose requests are looked at here, with the resources that they name.
OWN = ("rds", "access-analyzer")
# What RDS asks of a key when it makes something that is encrypted under it.
OF_KEYS = ("kms:DescribeKey", "kms:CreateGrant")
# Parameters of KMS that are condition keys.
OF_REQUESTS = ("MacAlgorithm", "MessageType", "SigningAlgorithm")
_asked = set()


def install():
    """Puts the check of RDS's calls into our hands; the signature is still the emulator's to check."""
    checked = iam_evaluator.enforce

    def enforce(access_key_id, iam_action, service, region, *rest, **named):
        if service not in OWN:
            return checked(access_key_id, iam_action, service, region, *rest, **named)
        CALLER.set(access_key_id or "")
        # Always allowed to whoever has signed the request rightly.
        return checked(access_key_id, "sts:GetCallerIdentity", service, region)

    resolve = iam_evaluator._resolve_condition_key

    def resolve_key(key, context):
        name = key.lower()
        if name == "aws:principalarn" and ":assumed-role/" in context.principal_arn:
            # The role's, and not its session's.
            role = context.principal_arn.split("/")[1]
            return f"arn:aws:iam::{context.principal_account}:role/{role}"
        # Nothing here leaves the machine, and nothing is encrypted on its way.
        return "true" if name == "aws:securetransport" else resolve(key, context)

    iam_evaluator.enforce, iam_evaluator._resolve_condition_key = enforce, resolve_key
    tags = iam_actions.request_tag_context

    def request_context(service, iam_action, body, *rest):
        found = tags(service, iam_action, body, *rest)
        if service == "kms":
            # What a request says of itself, as conditions of policies know it.
            said = json.loads(body or b"{}")
            found = dict(found) | {f"kms:{name}": said[name] for name in OF_REQUESTS if name in said}
        return found

    iam_actions.request_tag_context = request_context
    evaluate = iam_evaluator.evaluate

    def evaluated(context, policies, *limits):
        _note(context)
        return evaluate(context, policies, *limits)

    iam_evaluator.evaluate = evaluated


def _note(context):
    """Which role was looked at for which action: the drill tells what was never asked for."""
    if ":assumed-role/" in context.principal_arn:
        line = f"{context.principal_account} {context.principal_arn.split('/')[1]} {context.action}\n"
        if line not in _asked:
            _asked.add(line)
            with open(servers.root() / "asked", "a") as file:
                file.write(line)


def principal(request):
    """Who makes the request."""
    found = iam_evaluator.resolve_principal(CALLER.get(), request.account)
    if not hasattr(found, "policies"):
        raise Refusal("AccessDenied", "The security token included in the request is invalid.", 403)
    return found


def require(request, resources, action=None):
    """Each of the resources must be allowed: pairs of an ARN and the tags of what is there already."""
    caller, action = principal(request), action or f"rds:{request.action}"
    if caller.policies is None:
        return
    wanted = request.tags() or {}
    for arn, tags in resources:
        kind = arn.split(":")[5] if ":" in arn else arn
        keys = {f"aws:requesttag/{key}".lower(): value for key, value in wanted.items()}
        keys |= {f"rds:req-tag/{key}".lower(): value for key, value in wanted.items()}
        keys |= {f"aws:resourcetag/{key}".lower(): value for key, value in (tags or {}).items()}
        keys |= {f"rds:{kind}-tag/{key}".lower(): value for key, value in (tags or {}).items()}
        keys["aws:tagkeys"] = list(wanted) or None
        context = _context(caller, request, action, arn, keys)
        if iam_evaluator.evaluate(context, caller.policies, *caller.limits).decision != "Allow":
            raise Refusal("AccessDenied", f"User: {caller.arn} is not authorized to perform: {action} on resource: {arn}"
                          " because no identity-based policy allows the action", 403)


def use_key(request, key_arn):
    """The caller must be allowed to let RDS use a key, whoever owns it."""
    caller = principal(request)
    policy, owner = _policy(key_arn)
    if policy is None:
        raise _no_key(key_arn)
    keys = {"kms:viaservice": f"rds.{request.region}.amazonaws.com", "kms:calleraccount": caller.account,
            "kms:grantisforawsresource": "true", "aws:resourceaccount": owner}
    for action in OF_KEYS:
        context = _context(caller, request, action, key_arn, keys)
        own = EvalResult("Allow") if caller.policies is None else iam_evaluator.evaluate(
            context, caller.policies, *caller.limits)
        both = iam_evaluator.combine_resource_policy(own, context, policy, owner, required=True, limits=caller.limits)
        if both.decision != "Allow":
            raise _no_key(key_arn, f" ({caller.arn}: {action})")


def _policy(key_arn):
    owner, identifier = key_arn.split(":")[4], key_arn.rsplit("/", 1)[-1]
    for (account, *_, key), record in kms._keys.all_items():
        if (account, key) == (owner, identifier) and record.get("KeyState") == "Enabled":
            return record.get("Policy") or "{}", owner
    return None, owner


def _no_key(key_arn, why=""):
    return Refusal("KMSKeyNotAccessibleFault", f"The key {key_arn} does not exist, is not enabled or you do not have"
                   f" permissions to access it.{why}")


def _context(caller, request, action, arn, keys):
    return EvalContext(principal_arn=caller.arn, principal_type=caller.type, principal_account=caller.account,
                       action=action, resource_arn=arn, region=request.region, service_context=keys,
                       principal_keys=caller.keys)
