"""Releases that are not development's to take, or not any more; and several who want the same at the same moment."""

from . import looks, weeks
from .accounts import DEVELOPMENT, OTHER, PRODUCTION, client
from .looks import ensure, until
from .machines import FORWARD
from .rights import without
from .together import together


def other_account(production, development):
    """The stack shares with another account: that one is let in, and nobody here can take anything, or ask for it."""
    was = development.database("books")["DbiResourceId"]
    with production.stack.changed(DevelopmentAccounts=OTHER):
        ensure(development.request("books", "a drill") == ["AccessDeniedException"], "a stranger's wish is heard")
        heard = development.fleet.executions()
        with without(PRODUCTION, FORWARD, "events:PutEvents"):
            run = production.workflow.run("other-account", database="books")
        ensure(run.status == "SUCCEEDED" and run.output["released"], str(run))
        production.release("books", run.name, OTHER)
        looks.nothing_raw(production)
        looks.releases(production)
        ensure(development.fleet.executions() == heard, "development was told, which nobody may")
        name = f"anon-share-books-{run.name}"
        arn = production.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["DBSnapshotArn"]
        theirs = client("rds", OTHER).describe_db_snapshots(SnapshotType="shared")["DBSnapshots"]
        ensure(arn in {one["DBSnapshotIdentifier"] for one in theirs}, "the other account is not let in")
        ensure(arn not in looks.shared(), "development is let in")
        try:
            client("rds", DEVELOPMENT).copy_db_snapshot(
                SourceDBSnapshotIdentifier=arn, TargetDBSnapshotIdentifier="taken", KmsKeyId=development.stack.outputs["KeyArn"])
        except client("rds", DEVELOPMENT).exceptions.DBSnapshotNotFoundFault:
            pass
        else:
            raise AssertionError("development has taken what is another's")
        run = development.workflow.run("not-ours", database="books")
        ensure(run.status == "FAILED" and "FindRelease" in run.entered and "denied" in run.cause.lower(), str(run))
    looks.development_rests(development)
    ensure(development.database("books")["DbiResourceId"] == was, "development's database is another one")


def expired(production, development):
    """A statement that does not count any more the moment that it is looked at."""
    before, was = development.workflow.executions(), development.database("books")["DbiResourceId"]
    production.settings(release_days=0)
    run = production.workflow.run("expired", database="books")
    production.settings()
    ensure(run.status == "SUCCEEDED" and run.output["released"], str(run))
    production.release("books", run.name)
    run = development.workflow.started(before, "books")
    ensure(run.status == "FAILED" and run.error == "Refused" and "has expired" in run.cause, str(run))
    looks.development_rests(development)
    ensure(development.database("books")["DbiResourceId"] == was, "development's database is another one")


def at_once(production, development):
    """Two start the same, and a developer wishes for it meanwhile: one goes on, and its release is everybody's. So it is in
    development too, where the secret leads to the new database and names stay.
    """
    was, place = development.database("books"), development.pointer("books")
    known = weeks.originals(production)
    before = [machine.executions() for machine in (production.workflow, production.request, development.workflow)]
    arns = [production.workflow.start(name, database="books") for name in ("one", "other")]
    until(lambda: ensure("anon-tmp-books-one" in looks.databases() or "anon-tmp-books-other" in looks.databases(), "none works"))
    ensure(not development.request("books", "a drill"), "the wish was refused")
    wish = production.request.started(before[1])
    runs = together(*(lambda arn=arn: production.workflow.wait(arn) for arn in arns))
    winner, loser = sorted(runs, key=lambda run: not run.output.get("released"))
    ensure(winner.status == "SUCCEEDED" and winner.output["released"], str(winner))
    for run in (loser, wish):
        ensure(run.status == "SUCCEEDED" and run.output["running"] == winner.name, f"{run} knows nothing of {winner.name}")
    ensure(len(production.workflow.executions() - before[0]) == 2, "the wish has started one more")
    production.release("books", winner.name)
    looks.nothing_raw(production)
    looks.releases(production)
    # Production has told of it, so that one is at it already.
    mine = development.workflow.run("me-too", database="books")
    runs = [development.workflow.started(before[2] | {mine.arn}, "books"), mine]
    changed = [run for run in runs if run.output.get("result", {}).get("changed")]
    ensure(len(changed) == 1 and all(run.status == "SUCCEEDED" for run in runs), f"{[str(run) for run in runs]}")
    now, there = development.database("books"), development.pointer("books")
    looks.development_rests(development)
    ensure(now["DbiResourceId"] != was["DbiResourceId"] and there["host"] != place["host"], "the secret leads where it led")
    ensure(now["DBInstanceIdentifier"] == f"dev-books-new-{changed[0].name}", f"it is called {now['DBInstanceIdentifier']}")
    weeks.arrived(production, development, winner.name, known, "books")
