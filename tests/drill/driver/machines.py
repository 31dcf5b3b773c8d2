"""Roles of state machines, of schedules and of rules, each without one permission in turn. What cannot be done is red, nobody is
let into anything, and what is left the reaper removes, started by whichever of its two ways there is.
"""

import json

from . import looks, schedules
from .accounts import DEVELOPMENT, PRODUCTION, client
from .looks import ensure, until
from .refusals import failed, rest
from .rights import without

WORKFLOW, FLEET, REQUEST, REAPER, EVENTS, SCHEDULER, FORWARD = (
    f"anonymizer-{one}" for one in ("workflow", "fleet", "request", "reaper", "events", "scheduler", "forward"))
INVOKE, START = "lambda:InvokeFunction", "states:StartExecution"


def production_workflow(production):
    """The workflow's role."""
    for name, action, on, state, error in (
        ("no-invoke", INVOKE, "function:anonymizer-ReEncrypt", "ReEncrypt", "Lambda.AWSLambdaException"),
        ("no-task", "ecs:RunTask", "", "Anonymize", "Fatal"),
        ("no-pass", "iam:PassRole", "", "Anonymize", "Fatal"),
    ):
        with without(PRODUCTION, WORKFLOW, action, on=on):
            failed(production, name, state, error, "")
        rest(production)


def production_silent(production, development):
    """It cannot announce its release, which stands: red, somebody is told, and development is not."""
    before = development.workflow.executions()
    with without(PRODUCTION, WORKFLOW, "events:PutEvents"):
        run = production.workflow.run("no-event", database="books")
    ensure(run.status == "FAILED" and "Unannounced" in run.entered and "GiveUp" not in run.entered, str(run))
    production.release("books", run.name)
    until(lambda: rest(production))
    ensure("books" not in development.workflow.given(before), "development was told")


def production_helpless(production):
    """It can tell nobody, and it cannot clean up after itself."""
    with without(PRODUCTION, WORKFLOW, "sns:Publish"):
        failed(production, "no-message", "Alarm", "Refused", "nothing", database="nothing")
    rest(production)
    with without(PRODUCTION, WORKFLOW, INVOKE, on="function:anonymizer-CleanUp"), production.emulator.image("exit 3"):
        failed(production, "no-clean-up", "Withdraw", "Refused", "")
    until(lambda: rest(production))


def production_others(production):
    """The roles of those that start the workflow."""
    for name, action in (("no-start", START), ("no-invoke", INVOKE)):
        before = production.workflow.executions()
        with without(PRODUCTION, FLEET, action):
            run = production.fleet.run(name)
        ensure(run.status == "FAILED", f"{run} although the fleet lacks {action}")
        event = {"account": DEVELOPMENT, "source": "anonymizer.refresh", "detail-type": "RefreshRequested",
                 "detail": {"database": "books", "reason": "a drill", "max_age_hours": 24}}
        with without(PRODUCTION, REQUEST, action):
            run = production.request.run(name, **event)
        ensure(run.status == "FAILED", f"{run} although the request lacks {action}")
        ensure(production.workflow.executions() == before, "something was started")
    rest(production)


def production_reaper(production, development):
    """An execution that somebody stops runs no state any more. Its end starts the reaper, if the rule's role may; if not, the
    schedule does; and neither helps where the reaper's own role may nothing.
    """
    arn = production.workflow.start("stopped", database="books")
    until(lambda: ensure("anon-tmp-books-stopped" in looks.databases(), "nothing is restored"))
    with without(PRODUCTION, EVENTS, START):
        buried(lambda: production.workflow.api.stop_execution(executionArn=arn), production.reaper)
        buried(lambda: development.request("books", "a drill"), production.request)
    ensure(production.workflow.wait(arn).status == "ABORTED", "it was not stopped")
    with without(PRODUCTION, SCHEDULER, START):
        buried(lambda: schedules.fire(PRODUCTION, "anonymizer-reaper"), production.reaper)
        buried(lambda: schedules.fire(PRODUCTION, "anonymizer-fleet"), production.fleet)
    before = production.reaper.executions()
    with without(PRODUCTION, REAPER, INVOKE):
        schedules.fire(PRODUCTION, "anonymizer-reaper")
        run = production.reaper.started(before)
    ensure(run.status == "FAILED", f"{run} although the reaper may nothing")
    ensure("anon-tmp-books-stopped" in looks.databases(), "somebody else has removed what was left")
    before = production.reaper.executions()
    schedules.fire(PRODUCTION, "anonymizer-reaper")
    ensure(production.reaper.started(before).status == "SUCCEEDED", "the reaper has failed")
    rest(production)
    # As it is meant to be: at once, and by itself.
    arn = production.workflow.start("stopped-again", database="books")
    until(lambda: ensure("anon-tmp-books-stopped-again" in looks.databases(), "nothing is restored"))
    production.workflow.api.stop_execution(executionArn=arn)
    until(lambda: rest(production))


def development_workflow(pending):
    """The workflow's role, after names have changed, too; and where it cannot clean up after itself."""
    with without(DEVELOPMENT, WORKFLOW, INVOKE, on="function:anonymizer-PointSecret"):
        pending.fails("no-pointing", "PointSecret", "not authorized")
    with without(DEVELOPMENT, WORKFLOW, "sns:Publish"):
        run = pending.development.workflow.run("no-message", database="nothing")
    ensure(run.status == "FAILED" and "NotifyFailure" in run.entered, str(run))
    with without(DEVELOPMENT, WORKFLOW, INVOKE, on="function:anonymizer-CleanUp"):
        with without(DEVELOPMENT, "anonymizer-SmokeCheck", "secretsmanager:GetSecretValue"):
            run = pending.development.workflow.run("no-clean-up", database="shop")
    ensure(run.status == "FAILED" and "CleanUp" in run.entered, str(run))
    until(pending.rests)


def development_others(pending):
    """Those that start the workflow, and the reaper after an execution that was stopped in the middle of the swap."""
    development = pending.development
    before = development.workflow.executions()
    with without(DEVELOPMENT, FLEET, START):
        run = development.fleet.run("no-start", databases=["shop"], reason="a drill")
    ensure(run.status == "FAILED", f"{run} although the fleet lacks {START}")
    with without(DEVELOPMENT, "anonymizer-schedule", START):
        buried(lambda: schedules.fire(DEVELOPMENT, "anonymizer-fleet"), development.fleet)
    ensure(development.workflow.executions() == before, "something was started")
    arn = development.workflow.start("stopped", database="shop")
    until(lambda: ensure("dev-shop-old-stopped" in looks.databases(DEVELOPMENT), "nothing is renamed"), pause=0.05)
    with without(DEVELOPMENT, EVENTS, START):
        buried(lambda: development.workflow.api.stop_execution(executionArn=arn), development.reaper)
    before = development.reaper.executions()
    with without(DEVELOPMENT, REAPER, INVOKE):
        schedules.fire(DEVELOPMENT, "anonymizer-reaper")
        run = development.reaper.started(before)
    ensure(run.status == "FAILED", f"{run} although the reaper may nothing")
    ensure("dev-shop-old-stopped" in looks.databases(DEVELOPMENT), "somebody else has given the name back")
    schedules.fire(DEVELOPMENT, "anonymizer-reaper")
    until(pending.rests)


def buried(start, machine):
    """What is to start a machine cannot: the machine does not run, and its queue keeps that it was to."""
    before = machine.executions()
    undelivered(machine)
    start()
    until(lambda: ensure(machine.arn in undelivered(machine), f"nobody knows that {machine.arn} was to start"))
    ensure(machine.executions() == before, f"{machine.arn} was started")


def undelivered(machine):
    """The machines that could not be started, as the account's queue tells; each is told once."""
    sqs = client("sqs", machine.account)
    queue, found = sqs.get_queue_url(QueueName="anonymizer-undelivered")["QueueUrl"], []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            found.append(json.loads(one["Body"])["target"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return found
