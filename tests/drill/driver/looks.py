"""What must be true of the accounts after a run, however it ended. Each look raises with what it has found."""

import json
import time

from .accounts import DEVELOPMENT, PRODUCTION, client, pages
from .production import SOURCES


def ensure(holds, said):
    """Or the drill has failed."""
    if not holds:
        raise AssertionError(said)


# By machine, kind of server and state: whether an execution has looked there more than once.
_LOOPS = {}


def loops(kind, run, states):
    """Remembers which loops have gone round. Not each in every run: another execution's look may come before."""
    for state in states:
        _LOOPS[kind, state] = _LOOPS.get((kind, state), False) or run.entered.count(state) > 1


def every_loop():
    """Each has, in one run at least."""
    never = [loop for loop, round_ in _LOOPS.items() if not round_]
    ensure(_LOOPS and not never, f"looked once only, in every run: {never}")


def until(look, seconds=60, pause=0.2):
    """It holds, at last."""
    end = time.monotonic() + seconds
    while True:
        try:
            return look()
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(pause)


def snapshots(account=PRODUCTION, prefix=""):
    """Names of an account's own snapshots."""
    names = [one["DBSnapshotIdentifier"] for one in pages("rds", account, "describe_db_snapshots", "DBSnapshots")]
    return {name for name in names if name.startswith(prefix)}


def databases(account=PRODUCTION):
    """Names of an account's databases that are no clusters."""
    found = pages("rds", account, "describe_db_instances", "DBInstances")
    return {one["DBInstanceIdentifier"] for one in found if "DBClusterIdentifier" not in one}


def shared():
    """What development is let into, whoever owns it."""
    found = client("rds", DEVELOPMENT).describe_db_snapshots(SnapshotType="shared")["DBSnapshots"]
    return {one["DBSnapshotIdentifier"] for one in found}


def objects(account, bucket, prefix=""):
    """Keys in a bucket."""
    return {one["Key"] for one in client("s3", account).list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])}


def nothing_raw(production):
    """Nothing of a run but its release is there, nobody has the lock, nothing remembers a run."""
    sources = set(SOURCES.values())
    left = databases() - sources
    left |= {name for name in snapshots(prefix="anon-") if not name.startswith("anon-share-")}
    ensure(not left, f"production still has {left}")
    kept = production.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    kept = {one["DBInstanceIdentifier"] for one in kept} - sources
    ensure(not kept, f"automatic backups are left of {kept}")
    for server in SOURCES:
        forgotten(production, server)
    secrets = {one["Name"] for one in pages("secretsmanager", PRODUCTION, "list_secrets", "SecretList")}
    secrets = {name for name in secrets if not name.startswith("rds!cluster-")}
    ensure(not secrets, f"secrets are left: {secrets}")


def forgotten(production, database):
    """Nobody has a database's lock, nothing remembers a run of it."""
    ensure(not leased(PRODUCTION, production.stack.outputs["LeaseTable"], database), f"production's lock of {database} is taken")
    s3 = client("s3", PRODUCTION)
    for key in objects(PRODUCTION, production.documents, "runs/"):
        try:
            record = json.load(s3.get_object(Bucket=production.documents, Key=key)["Body"])
        except s3.exceptions.NoSuchKey:
            continue
        ensure(record["database"] != database, f"production remembers {key}")


def releases(production):
    """Exactly what was released is: a snapshot of each run, shared with one account alone, with its statement."""
    wanted = set(production.released)
    ensure(snapshots(prefix="anon-share-") == wanted, f"released are {snapshots(prefix='anon-share-')}, not {wanted}")
    for name in wanted:
        answer = production.rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
        attributes = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
        accounts = [value for one in attributes for value in one["AttributeValues"]]
        ensure(accounts == [production.released[name]], f"{name} is shared with {accounts}")
    statements = {key.rsplit("/", 1)[-1] for server in SOURCES
                  for key in objects(PRODUCTION, production.evidence, f"releases/{server}/")}
    ensure(statements == {f"{name}.json" for name in wanted}, f"statements are {statements}")


def development_rests(development):
    """One database of each server, no lock, nothing half made."""
    found = databases(DEVELOPMENT)
    ensure(found == {development.database(server)["DBInstanceIdentifier"] for server in development.arrived},
           f"development has {found}")
    for server in SOURCES:
        ensure(not leased(DEVELOPMENT, development.stack.outputs["Locks"], server), f"development's lock of {server} is taken")


def leased(account, table, database):
    """Whether somebody has the lock of a database."""
    return "Item" in client("dynamodb", account).get_item(TableName=table, Key={"pk": {"S": database}})
