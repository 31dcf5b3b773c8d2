"""Releases that development cannot take, for one reason after the other. Each time its run fails, what was in use is in use, and
nothing of the run is left; when there is no reason any more, it takes them.
"""

import json
import time

from . import looks
from .accounts import DEVELOPMENT, PRODUCTION, REGION, STRANGER, client
from .looks import ensure
from .refusals import rest
from .rights import without

KILLED_ONCE = ('[ -e "$HERE/killed" ] && exec "$REAL" "$@"\ntouch "$HERE/killed"\n"$REAL" "$@" &\n'
               "sleep 0.5; kill -9 $!; wait $!")


class Pending:
    """A release of the shop that a developer has wished for, and that development could not take: the share key does not let
    it in. Production has made it with a container that was killed once.
    """

    def __init__(self, production, development):
        self.production, self.development = production, development
        self.was = development.database()["DbiResourceId"]
        kms, self.share = client("kms", PRODUCTION), production.stack.outputs["ShareKeyArn"]
        self.policy = json.loads(kms.get_key_policy(KeyId=self.share, PolicyName="default")["Policy"])
        ours = [one for one in self.policy["Statement"] if DEVELOPMENT not in json.dumps(one.get("Principal"))]
        ensure(len(ours) < len(self.policy["Statement"]), "the key's policy does not name development")
        self._put(self.policy | {"Statement": ours})
        before, requested = development.workflow.executions(), production.workflow.executions()
        with production.emulator.image(KILLED_ONCE):
            ensure(not development.request("shop", "a bug in last week's data"), "the wish was refused")
            run = production.workflow.started(requested, "shop")
        ensure(run.status == "SUCCEEDED" and "Resume" in run.entered, f"{run}: a killed container does not go on")
        production.release("shop", run.name)
        rest(production)
        self.name = run.name
        refused = development.workflow.started(before, "shop")
        self.copies = looks.snapshots(DEVELOPMENT)
        self.keeps(refused, "CopySnapshot", "KMSKeyNotAccessible")
        self._put(self.policy)

    def _put(self, policy):
        client("kms", PRODUCTION).put_key_policy(KeyId=self.share, PolicyName="default", Policy=json.dumps(policy))

    def fails(self, name, state, said):
        """A run that cannot take it."""
        self.keeps(self.development.workflow.run(name, database="shop"), state, said)

    def keeps(self, run, state, said):
        """It has failed where it must, and all is as it was."""
        ensure(run.status == "FAILED" and state in run.entered and said in run.cause, f"{run}, not {state}: {said}")
        self.rests()

    def rests(self):
        """Development is as it was."""
        looks.development_rests(self.development)
        ensure(self.development.database()["DbiResourceId"] == self.was, "development's database is another one")
        ensure(looks.snapshots(DEVELOPMENT) == self.copies, "a copy is left")


def signature(pending):
    """The statement's signature is broken."""
    s3, evidence = client("s3", PRODUCTION), pending.production.evidence
    key = f"releases/shop/anon-share-shop-{pending.name}.json"
    good = s3.get_object(Bucket=evidence, Key=key)["Body"].read()
    envelope = json.loads(good)
    envelope["signatures"][0]["sig"] = envelope["signatures"][0]["sig"][::-1]
    s3.put_object(Bucket=evidence, Key=key, Body=json.dumps(envelope).encode())
    pending.fails("broken-signature", "VerifyRelease", "does not count")
    s3.put_object(Bucket=evidence, Key=key, Body=good)


def rights(pending):
    """Functions without a permission of their own, before and in the middle of the swap."""
    for step, action in (
        ("Restore", "rds:RestoreDBInstanceFromDBSnapshot"),
        ("SmokeCheck", "secretsmanager:GetSecretValue"),
        ("RenameNew", "rds:ModifyDBInstance"),
    ):
        with without(DEVELOPMENT, f"anonymizer-{step}", action):
            pending.fails(f"without-{step}", step, "")


def producer(pending):
    """The stack lets another account's releases in: production's are a stranger's then, and passed over."""
    with pending.development.stack.changed(ProductionAccount=STRANGER):
        pending.fails("other-producer", "FindRelease", "no release of shop that may be let in")


def quota(pending):
    """There is no room for one more snapshot."""
    pending.production.emulator.limit(DEVELOPMENT, snapshots=len(looks.snapshots(DEVELOPMENT)))
    pending.fails("no-copy", "CopySnapshot", "SnapshotQuotaExceeded")
    pending.production.emulator.limit(DEVELOPMENT)


def at_last(pending):
    """There is no reason any more, though a stranger has shared something newer under such a name."""
    stranger()
    run = pending.development.workflow.run("at-last", database="shop")
    ensure(run.status == "SUCCEEDED" and run.output["result"]["changed"], str(run))
    looks.development_rests(pending.development)


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
