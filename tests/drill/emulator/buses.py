"""Events for buses of other accounts, from rules and from callers: the sender may send them, and the bus lets them in."""

import json
import time

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.iam_evaluator import EvalContext
from ministack.core.responses import get_account_id, json_response, new_uuid, request_scope
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

    put = eventbridge._put_events

    def put_events(data, *rest, **named):
        arns = {one.get("EventBusName", "") for one in data.get("Entries", [])}
        if not any(arn.startswith("arn:") and arn.split(":")[4] != get_account_id() for arn in arns):
            return put(data, *rest, **named)
        return json_response({"FailedEntryCount": 0, "Entries": [_sent(entry) for entry in data["Entries"]]})

    eventbridge._dispatch_to_event_bus, eventbridge._put_events = dispatch, put_events


def _sent(entry):
    """An event from one account to a bus of another; the caller's own rights were looked at before."""
    spec, account = parse_arn(entry["EventBusName"]), get_account_id()
    event = {
        "EventId": new_uuid(), "Source": entry["Source"], "DetailType": entry["DetailType"], "Detail": entry["Detail"],
        "EventBusName": spec.resource.split("/", 1)[1], "Time": int(time.time()), "Resources": [], "Account": account,
        "Region": spec.region}
    if not _lets_in(spec, event, iam_evaluator.caller_arn(), account):
        return {"ErrorCode": "AccessDeniedException", "ErrorMessage": "The bus does not let you in."}
    with request_scope(spec.account_id, spec.region):
        eventbridge._dispatch_event(event, eventbridge._pattern_event_view(event))
    return {"EventId": event["EventId"]}


def _refused(spec, event, rule):
    account, arn = get_account_id(), str(spec)
    key = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
    role = next((one.get("RoleArn", "") for one in eventbridge._targets.get(key, []) if one.get("Arn") == arn), "")
    name = role.rsplit("/", 1)[-1]
    caller = f"arn:aws:sts::{account}:assumed-role/{name}/events"
    policies = iam_evaluator._gather_role_policies(name, account)
    if iam_evaluator.evaluate(_context(spec, event, caller, account), policies).decision != "Allow":
        return f"the role {name!r} may not send it"
    return None if _lets_in(spec, event, caller, account) else "its policy does not let it in"


def _lets_in(spec, event, caller, account):
    with request_scope(spec.account_id, spec.region):
        policy = eventbridge._event_bus_policies.get(spec.resource.split("/", 1)[1]) or {"Statement": []}
    return iam_evaluator.evaluate_resource_policy(policy, _context(spec, event, caller, account)).decision == "Allow"


def _context(spec, event, caller, account):
    detail = json.loads(event["Detail"])
    keys = {f"events:detail.{name}": value for name, value in detail.items()}
    return EvalContext(
        principal_arn=caller, principal_type="AssumedRole", principal_account=account, action="events:PutEvents",
        resource_arn=str(spec), region=spec.region,
        service_context=keys | {"events:source": event["Source"], "events:detail-type": event["DetailType"]})
