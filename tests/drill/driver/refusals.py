"""Runs that must not end well. Each time the step fails that is to fail, nothing more is shared than before, and nothing of the
run is left.
"""

import json
import time

from . import looks
from .accounts import DEVELOPMENT, PRODUCTION, REGION, STRANGER, client
from .looks import ensure
from .rights import without


def failed(production, name, state, error, said, **wanted):
    """A run of production's that ends badly, and cleans up after itself."""
    run = production.workflow.run(name, database="shop", **wanted)
    ensure(run.status == "FAILED" and run.error == error and said in run.cause, f"{run}, not {error}: {said}")
    ensure(state in run.entered and "GiveUp" in run.entered, f"{run} has not been in {state} and GiveUp")
    rest(production)
    return run


def rest(production):
    """Nothing of the last run is there, and nobody is let into anything new."""
    looks.nothing_raw(production)
    looks.releases(production)


def settings(production, development):
    """Whom data goes to is the stack's to say: a document that says so too is refused, whatever it says."""
    production.settings(accounts=["444444444444"])
    run = production.workflow.run("accounts", database="shop")
    ensure(run.status == "FAILED" and "`accounts` is decided by the stack" in run.cause, str(run))
    production.settings()
    production.reaper.run("after-accounts")
    rest(production)


def quotas(production, development):
    """Quotas that are used up, of databases and of snapshots."""
    production.emulator.limit(PRODUCTION, instances=1)
    failed(production, "no-instance", "Restore", "Fatal", "InstanceQuotaExceeded")
    production.emulator.limit(PRODUCTION, snapshots=len(looks.snapshots()))
    failed(production, "no-snapshot", "StageSnapshot", "Fatal", "SnapshotQuotaExceeded")
    production.emulator.limit(PRODUCTION)


def tasks(production, development):
    """What a container can do wrong: no report, another run's, always killed; one that is killed once goes on."""
    image = production.emulator.image
    with image("exit 0"):
        failed(production, "no-report", "CheckReport", "Refused", "there is none")
    with image('ANONYMIZER_RUN_ID=week-1 exec "$REAL" "$@"'):
        failed(production, "other-report", "CheckReport", "Refused", "another run")
    with image("kill -9 $$"):
        run = failed(production, "killed", "Anonymize", "Fatal", "interrupted")
        ensure(run.entered.count("Resume") > 2, f"{run} was not resumed")
    with image("exit 3"):
        failed(production, "refused", "Anonymize", "Refused", "")


def previewed(production, development):
    """Somebody would be let in whom nobody has configured: it is found before anything is signed or shared."""
    with production.emulator.strangers(STRANGER):
        run = failed(production, "stranger", "PreviewAccess", "Refused", f"{DEVELOPMENT}, {STRANGER} in place of")
    ensure("Release" not in run.entered, f"{run} has come to Release")


def rights(production, development):
    """Each of these roles without one permission of its own, in a whole run."""
    for step, action, state in (
        ("Restore", "rds:RestoreDBInstanceFromDBSnapshot", "Restore"),
        ("TakeOver", "rds:ModifyDBInstance", "TakeOver"),
        ("Task", "kms:GenerateMac", "Anonymize"),
        ("Release", "kms:Sign", "Release"),
        ("Share", "rds:ModifyDBSnapshotAttribute", "Share"),
    ):
        with without(PRODUCTION, f"anonymizer-{step}", action):
            run = production.workflow.run(f"without-{step}", database="shop")
        ensure(run.status == "FAILED" and state in run.entered, f"{run} although {step} lacks {action}")
        rest(production)


def stopped(production, development):
    """An execution that somebody stops runs no state any more: the reaper, which its end has started, takes its place."""
    arn = production.workflow.start("stopped", database="shop")
    end = time.monotonic() + 30
    while "anon-tmp-shop-stopped" not in looks.databases() and time.monotonic() < end:
        time.sleep(0.1)
    production.workflow.api.stop_execution(executionArn=arn)
    ensure(production.workflow.wait(arn).status == "ABORTED", "it was not stopped")
    while time.monotonic() < end + 30:
        try:
            return rest(production)
        except AssertionError:
            time.sleep(0.3)
    rest(production)


def pending(production, development):
    """A release that development cannot take, for one reason after the other, and takes when there is none."""
    kms, share = client("kms", PRODUCTION), production.stack.outputs["ShareKeyArn"]
    policy = json.loads(kms.get_key_policy(KeyId=share, PolicyName="default")["Policy"])
    before, was = development.workflow.executions(), development.database()["DbiResourceId"]
    requested = production.workflow.executions()
    copies = looks.snapshots(DEVELOPMENT)
    ours = [one for one in policy["Statement"] if DEVELOPMENT not in json.dumps(one.get("Principal"))]
    ensure(len(ours) < len(policy["Statement"]), "the key's policy does not name development")
    kms.put_key_policy(KeyId=share, PolicyName="default", Policy=json.dumps(policy | {"Statement": ours}))
    with production.emulator.image('[ -e "$HERE/killed" ] && exec "$REAL" "$@"\ntouch "$HERE/killed"\n"$REAL" "$@" &\n'
                                   "sleep 0.5; kill -9 $!; wait $!"):
        development.request("shop", "a bug in last week's data")
        run = production.workflow.started(requested)
    ensure(run.status == "SUCCEEDED" and "Resume" in run.entered, f"{run}: a killed container does not go on")
    production.released.add(run.name)
    rest(production)
    name = f"anon-share-shop-{run.name}"

    def keeps(run, state, said):
        ensure(run.status == "FAILED" and state in run.entered and said in run.cause, f"{run}, not {state}: {said}")
        looks.development_rests(development)
        ensure(development.database()["DbiResourceId"] == was, "development's database is another one")
        ensure(looks.snapshots(DEVELOPMENT) == copies, "a copy is left")

    keeps(development.workflow.started(before), "CopySnapshot", "KMSKeyNotAccessible")
    kms.put_key_policy(KeyId=share, PolicyName="default", Policy=json.dumps(policy))
    s3, key = client("s3", PRODUCTION), f"releases/shop/{name}.json"
    good = s3.get_object(Bucket=production.evidence, Key=key)["Body"].read()
    envelope = json.loads(good)
    envelope["signatures"][0]["sig"] = envelope["signatures"][0]["sig"][::-1]
    s3.put_object(Bucket=production.evidence, Key=key, Body=json.dumps(envelope).encode())
    keeps(development.workflow.run("broken-signature", database="shop"), "VerifyRelease", "")
    s3.put_object(Bucket=production.evidence, Key=key, Body=good)
    production.emulator.limit(DEVELOPMENT, snapshots=len(looks.snapshots(DEVELOPMENT)))
    keeps(development.workflow.run("no-copy", database="shop"), "CopySnapshot", "SnapshotQuotaExceeded")
    production.emulator.limit(DEVELOPMENT)
    for step, action, state in (
        ("CopySnapshot", "rds:CopyDBSnapshot", "CopySnapshot"),
        ("Restore", "rds:RestoreDBInstanceFromDBSnapshot", "Restore"),
        ("SmokeCheck", "secretsmanager:GetSecretValue", "SmokeCheck"),
        ("RenameNew", "rds:ModifyDBInstance", "RenameNew"),
    ):
        with without(DEVELOPMENT, f"anonymizer-{step}", action):
            run = development.workflow.run(f"without-{step}", database="shop")
        keeps(run, state, "")
    stranger()
    run = development.workflow.run("at-last", database="shop")
    ensure(run.status == "SUCCEEDED" and run.output["result"]["changed"], str(run))
    looks.development_rests(development)


def stranger():
    """Anybody can share a snapshot of any name with anybody: one that is not production's is passed over."""
    rds, kms = client("rds", STRANGER), client("kms", STRANGER)
    everybody = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}]}
    key = kms.create_key(Policy=json.dumps(everybody))["KeyMetadata"]["Arn"]
    rds.create_db_instance(DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t4g.micro",
                           AllocatedStorage=20, MasterUsername="who", MasterUserPassword="whoever-it-is",
                           StorageEncrypted=True, KmsKeyId=key)
    _available(lambda: rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"])
    name = "anon-share-shop-week-5"
    rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier=name)
    _available(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"])
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=[DEVELOPMENT])
    arn = f"arn:aws:rds:{REGION}:{STRANGER}:snapshot:{name}"
    ensure(arn in looks.shared(), "the stranger's snapshot is not there")


def _available(status):
    end = time.monotonic() + 30
    while status() != "available":
        ensure(time.monotonic() < end, "the stranger has no snapshot")
        time.sleep(0.1)


ALL = {
    "a document that names accounts": settings,
    "quotas of databases and of snapshots": quotas,
    "no report, another run's, a container that is always killed, one that refuses": tasks,
    "somebody else whom sharing would let in": previewed,
    "five roles without a permission": rights,
    "an execution that was stopped": stopped,
    "development's wish, for which a killed container goes on; then a key that does not let development in, a broken signature,"
    " a quota, four roles without a permission, a stranger's snapshot; then it arrives": pending,
}
