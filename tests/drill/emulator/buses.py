"""Events that a rule forwards to a bus of another account: the rule's role may send them, and the bus lets them in."""

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.core.responses import get_account_id, request_scope
from ministack.services import eventbridge


def install():
    """Where the emulator finds no bus that is not its caller's."""
    forward = eventbridge._dispatch_to_event_bus

    def dispatch(spec, event, rule, *rest):
        if spec.account_id == get_account_id():
            return forward(spec, event, rule, *rest)
        why = _refused(spec, event, rule)
        if why:
            print(f"bus {spec} refuses an event: {why}", flush=True)
            return None
        with request_scope(spec.account_id, spec.region):
            return forward(spec, event, rule, *rest)

    eventbridge._dispatch_to_event_bus = dispatch


def _refused(spec, event, rule):
    account, arn = get_account_id(), str(spec)
    key = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
    role = next((one.get("RoleArn", "") for one in eventbridge._targets.get(key, []) if one.get("Arn") == arn), "")
    name = role.rsplit("/", 1)[-1]
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/events", principal_type="AssumedRole",
        principal_account=account, action="events:PutEvents", resource_arn=arn, region=spec.region,
        service_context={"events:source": event["Source"], "events:detail-type": event["DetailType"]})
    policies = iam_evaluator._gather_role_policies(name, account)
    if iam_evaluator.evaluate(context, policies).decision != "Allow":
        return f"the role {name!r} may not send it"
    with request_scope(spec.account_id, spec.region):
        policy = eventbridge._event_bus_policies.get(spec.resource.split("/", 1)[1]) or {"Statement": []}
    if iam_evaluator.evaluate_resource_policy(policy, context).decision != "Allow":
        return "its policy does not let it in"
    return None
