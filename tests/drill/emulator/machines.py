"""State machines as Step Functions runs them, where the emulator does otherwise: what a machine's role may do is looked at, and
an execution that is stopped begins nothing more.

The names of the errors are those that each service's integration has on AWS, as far as we know them.
"""

import contextvars
import json

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs
from ministack.services import stepfunctions as sfn

from . import trials

_role = contextvars.ContextVar("drill_machine_role", default="")


def install():
    """Looks at every task before it is carried out."""
    execute, invoke, fail = sfn._execute_task, sfn._invoke_resource, sfn._fail_execution

    def execute_task(state_def, raw_input, execution, ctx):
        if execution["status"] != "RUNNING":
            # The emulator stops an execution at the top only, and goes on in its branches.
            raise sfn._ExecutionError("States.Aborted", "It was stopped.")
        machine = sfn._state_machines.get(execution["stateMachineArn"]) or {}
        _role.set(machine.get("roleArn", ""))
        name, last = ctx["State"]["Name"], execution["events"][-1]
        if last.get("stateEnteredEventDetails", {}).get("name") != name:
            # The emulator tells of states at the top only.
            details = {"name": name, "input": json.dumps(raw_input)}
            sfn._add_event(execution, "TaskStateEntered", {"stateEnteredEventDetails": details})
        return execute(state_def, raw_input, execution, ctx)

    def invoke_resource(resource, wanted):
        for action, arn, context, error in _needs(resource, wanted):
            _require(action, arn, context, error)
        if "events:putEvents" in resource:
            # What a definition gives as an object is a text on its way.
            texts = [one | {"Detail": json.dumps(one["Detail"])} for one in wanted["Entries"]]
            wanted = wanted | {"Entries": texts}
        if "lambda:invoke" in resource:
            return trials.function(_arn_of_function(wanted), lambda: invoke(resource, wanted))
        if "ecs:runTask" in resource:
            role = _task_definition(wanted).get("taskRoleArn", "")
            return trials.attempt(role, "the masking task", lambda: invoke(resource, wanted))
        return invoke(resource, wanted)

    def fail_execution(execution, *why):
        if execution["status"] == "RUNNING":
            fail(execution, *why)

    sfn._execute_task, sfn._invoke_resource, sfn._fail_execution = execute_task, invoke_resource, fail_execution


def _needs(resource, wanted):
    account, region = get_account_id(), get_region()
    if "lambda:invoke" in resource:
        yield "lambda:InvokeFunction", _arn_of_function(wanted), {}, "Lambda.AWSLambdaException"
    elif "ecs:runTask" in resource:
        definition = _task_definition(wanted)
        cluster = wanted.get("Cluster", "default")
        cluster = cluster if cluster.startswith("arn:") else f"arn:aws:ecs:{region}:{account}:cluster/{cluster}"
        yield "ecs:RunTask", definition.get("taskDefinitionArn", ""), {"ecs:cluster": cluster}, "ECS.AccessDeniedException"
        for role in ("taskRoleArn", "executionRoleArn"):
            yield ("iam:PassRole", definition.get(role, ""), {"iam:passedtoservice": "ecs-tasks.amazonaws.com"},
                   "ECS.AccessDeniedException")
    elif "sns:publish" in resource:
        yield "sns:Publish", wanted.get("TopicArn", ""), {}, "SNS.AuthorizationErrorException"
    elif "events:putEvents" in resource:
        for entry in wanted.get("Entries", []):
            bus = entry.get("EventBusName", "default")
            bus = bus if bus.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{bus}"
            keys = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
            yield "events:PutEvents", bus, keys, "EventBridge.AccessDeniedException"
    elif "states:startExecution" in resource:
        yield "states:StartExecution", wanted.get("StateMachineArn", ""), {}, "StepFunctions.AccessDeniedException"


def _task_definition(wanted):
    return ecs._task_defs.get(ecs._resolve_td_key(wanted.get("TaskDefinition", ""))) or {}


def _arn_of_function(wanted):
    name = wanted["FunctionName"]
    return name if name.startswith("arn:") else f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"


def _require(action, arn, keys, error):
    account = get_account_id()
    name = _role.get().rsplit("/", 1)[-1]
    context = EvalContext(principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/machine", principal_type="AssumedRole",
                          principal_account=account, action=action, resource_arn=arn, region=get_region(),
                          service_context=keys)
    policies = iam_evaluator._gather_role_policies(name, account)
    if iam_evaluator.evaluate(context, policies).decision != "Allow":
        raise sfn._ExecutionError(error, f"{_role.get()} is not authorized to perform: {action} on resource: {arn}")
