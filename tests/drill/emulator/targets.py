"""What rules and schedules do as AWS does, where the emulator looks at nothing: the role with which they start a state machine,
and the queue that keeps what could not be started. A schedule is due within a moment.
"""

import json

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.iam_evaluator import EvalContext
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, iam, scheduler, sqs

# Seconds between two looks at what is due.
LOOKS = 0.2


def install():
    """Looks before anything is started."""
    invoke = eventbridge._invoke_target

    def invoke_target(target, event, rule, view=None):
        service = "scheduler" if event.get("Source") == "aws.scheduler" else "events"
        if ":states:" not in target.get("Arn", "") or _may(target, service, "states:StartExecution", target["Arn"]):
            return invoke(target, event, rule, view)
        print(f"{service} may not start {target['Arn']} as {target.get('RoleArn')}", flush=True)
        return _bury(target, service, event, rule)

    eventbridge._invoke_target = invoke_target
    scheduler._SCHEDULE_TICK_INTERVAL = LOOKS


def _may(target, service, action, arn):
    """The service can take the role, and the role may."""
    name = target.get("RoleArn", "").rsplit("/", 1)[-1]
    role = iam._roles.get(name) or {}
    trust = EvalContext(principal_arn=f"{service}.amazonaws.com", principal_type="Service", principal_account=get_account_id(),
                        action="sts:AssumeRole", resource_arn="*", region=get_region(),
                        service_context={"aws:sourceaccount": get_account_id()})
    trusted = iam_evaluator.evaluate_resource_policy(
        _with_resource(role.get("AssumeRolePolicyDocument")), trust, service=f"{service}.amazonaws.com")
    if trusted.decision != "Allow":
        return False
    account = get_account_id()
    context = EvalContext(principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/{service}", principal_type="AssumedRole",
                          principal_account=account, action=action, resource_arn=arn, region=get_region())
    return iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account)).decision == "Allow"


def _bury(target, service, event, rule):
    """Into the queue, if the role may, or for rules, which have none there, if the queue lets the rule."""
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        return
    if service == "scheduler":
        let = _may(target, service, "sqs:SendMessage", arn)
    else:
        context = EvalContext(principal_arn="events.amazonaws.com", principal_type="Service",
                              principal_account=get_account_id(), action="sqs:SendMessage", resource_arn=arn,
                              region=get_region(), service_context={"aws:sourcearn": rule.get("Arn", "")})
        policy = sqs.queue_policy_for_arn(arn)
        let = iam_evaluator.evaluate_resource_policy(
            policy and policy[0], context, service="events.amazonaws.com").decision == "Allow"
    if let:
        body = {"target": target["Arn"], "of": rule.get("Name"), "source": event.get("Source")}
        eventbridge._dispatch_to_sqs(parse_arn(arn), json.dumps(body))
    else:
        print(f"{service} may not keep what it could not start in {arn}", flush=True)


def _with_resource(policy):
    """A role's own policy names no resource: it is its own."""
    document = json.loads(policy) if isinstance(policy, str) else policy or {"Statement": []}
    return document | {"Statement": [{"Resource": "*"} | one for one in document["Statement"]]}
