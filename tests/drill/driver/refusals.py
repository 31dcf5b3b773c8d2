"""Runs of production that must not end well. Each time the step fails that is to fail, nothing more is shared than before, and
nothing of the run is left.
"""

from . import looks
from .accounts import DEVELOPMENT, PRODUCTION, STRANGER, pages
from .looks import ensure, until
from .rights import without
from .together import together

# What a container does instead, and where and how its run ends.
CONTAINERS = {
    "no-report": ("exit 0", "CheckReport", "Refused", "there is none"),
    "other-report": ('ANONYMIZER_RUN_ID=week-1 exec "$REAL" "$@"', "CheckReport", "Refused", "another run"),
    "killed": ("kill -9 $$", "Anonymize", "Fatal", "interrupted"),
    "refused": ("exit 3", "Anonymize", "Refused", ""),
}


def failed(production, name, state, error, said, database="books"):
    """A run that ends badly, after it has been where it must fail."""
    run = production.workflow.run(name, database=database)
    ensure(run.status == "FAILED" and run.error == error and said in run.cause, f"{run}, not {error}: {said}")
    ensure(state in run.entered and "GiveUp" in run.entered, f"{run} has not been in {state} and GiveUp")
    return run


def rest(production):
    """Nothing of the last run is there, and nobody is let into anything new."""
    looks.nothing_raw(production)
    looks.releases(production)


def settings(production):
    """Whom data goes to is the stack's to say: a document that says so too is refused, whatever it says."""
    production.settings(accounts=["444444444444"])
    run = production.workflow.run("accounts", database="shop")
    ensure(run.status == "FAILED" and "`accounts` is decided by the stack" in run.cause, str(run))
    production.settings()
    production.reaper.run("after-accounts")
    rest(production)


def quotas(production):
    """Quotas that are used up, of databases and of snapshots."""
    production.emulator.limit(PRODUCTION, instances=len(pages("rds", PRODUCTION, "describe_db_instances", "DBInstances")))
    failed(production, "no-instance", "Restore", "Fatal", "InstanceQuotaExceeded", "shop")
    rest(production)
    production.emulator.limit(PRODUCTION, snapshots=len(looks.snapshots()))
    failed(production, "no-snapshot", "StageSnapshot", "Fatal", "SnapshotQuotaExceeded", "shop")
    production.emulator.limit(PRODUCTION)
    rest(production)


def tasks(production):
    """What a container can do wrong: no report, another run's, always killed, refused; side by side, each as another server's."""
    books = production.server("books")
    for name in CONTAINERS:
        production.rules("books", name)
    production.settings(databases={name: books for name in CONTAINERS})
    cases = "\n".join(f"{name}) {does};;" for name, (does, *_) in CONTAINERS.items())
    with production.emulator.image(f'case "$ANONYMIZER_RUN_ID" in\n{cases}\nesac'):
        runs = together(*(lambda name=name, ends=ends: failed(production, name, *ends, database=name)
                          for name, (_, *ends) in CONTAINERS.items()))
    # The reaper, too, gives back leases of what is in the settings only.
    for name in CONTAINERS:
        until(lambda name=name: looks.forgotten(production, name))
    production.settings()
    rest(production)
    killed = next(run for run in runs if run.name == "killed")
    ensure(killed.entered.count("Resume") > 2, f"{killed} was not resumed")


def previewed(production):
    """Somebody would be let in whom nobody has configured: it is found before anything is signed or shared."""
    with production.emulator.strangers(STRANGER):
        run = failed(production, "stranger", "PreviewAccess", "Refused", f"{DEVELOPMENT}, {STRANGER} in place of")
    ensure("Release" not in run.entered, f"{run} has come to Release")
    rest(production)


def rights(production):
    """Each of these functions without one permission of its own, in a whole run, which cleans up from there."""
    for step, action in (
        ("TakeOver", "rds:ModifyDBInstance"),
        ("Release", "kms:Sign"),
        ("Share", "rds:ModifyDBSnapshotAttribute"),
    ):
        with without(PRODUCTION, f"anonymizer-{step}", action):
            run = production.workflow.run(f"without-{step}", database="books")
        ensure(run.status == "FAILED" and run.entered[-2:] == ["Alarm", "Failed"] and step in run.entered,
               f"{run} although {step} lacks {action}")
        rest(production)


ALL = {
    "a document that names accounts": settings,
    "quotas of databases and of snapshots": quotas,
    "no report, another run's, a container that is always killed, one that refuses": tasks,
    "somebody else whom sharing would let in": previewed,
    "three functions without a permission": rights,
}
