"""What must be true of the accounts after a run, however it ended. Each look raises with what it has found."""

from .accounts import DEVELOPMENT, PRODUCTION, client, pages


def ensure(holds, said):
    """Or the drill has failed."""
    if not holds:
        raise AssertionError(said)


def snapshots(account=PRODUCTION, prefix=""):
    """Names of an account's own snapshots."""
    names = [one["DBSnapshotIdentifier"] for one in pages("rds", account, "describe_db_snapshots", "DBSnapshots")]
    return {name for name in names if name.startswith(prefix)}


def databases(account=PRODUCTION):
    """Names of an account's databases."""
    return {one["DBInstanceIdentifier"] for one in pages("rds", account, "describe_db_instances", "DBInstances")}


def shared():
    """What development is let into, whoever owns it."""
    found = client("rds", DEVELOPMENT).describe_db_snapshots(SnapshotType="shared")["DBSnapshots"]
    return {one["DBSnapshotIdentifier"] for one in found}


def objects(account, bucket, prefix=""):
    """Keys in a bucket."""
    return {one["Key"] for one in client("s3", account).list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])}


def nothing_raw(production):
    """Nothing of a run but its release is there, nobody has the lock, nothing remembers a run."""
    left = {name for name in databases() if name != "shop-production"}
    left |= {name for name in snapshots(prefix="anon-") if not name.startswith("anon-share-")}
    ensure(not left, f"production still has {left}")
    kept = production.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    kept = {one["DBInstanceIdentifier"] for one in kept} - {"shop-production"}
    ensure(not kept, f"automatic backups are left of {kept}")
    ensure(not _leases(PRODUCTION, production.stack.outputs["LeaseTable"]), "production's lock is taken")
    ensure(not objects(PRODUCTION, production.documents, "runs/"), "production remembers a run")
    secrets = pages("secretsmanager", PRODUCTION, "list_secrets", "SecretList")
    ensure(not secrets, f"secrets are left: {[one['Name'] for one in secrets]}")


def releases(production):
    """Exactly what was released is: a snapshot of each run, shared with development alone, with its statement."""
    wanted = {f"anon-share-shop-{run}" for run in production.released}
    ensure(snapshots(prefix="anon-share-") == wanted, f"released are {snapshots(prefix='anon-share-')}, not {wanted}")
    for name in wanted:
        answer = production.rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
        attributes = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
        accounts = [value for one in attributes for value in one["AttributeValues"]]
        ensure(accounts == [DEVELOPMENT], f"{name} is shared with {accounts}")
    statements = {key.rsplit("/", 1)[-1] for key in objects(PRODUCTION, production.evidence, "releases/")}
    ensure(statements == {f"{name}.json" for name in wanted}, f"statements are {statements}")


def development_rests(development):
    """One database, no lock, nothing half made."""
    ensure(databases(DEVELOPMENT) == {"dev-shop"}, f"development has {databases(DEVELOPMENT)}")
    ensure(not _leases(DEVELOPMENT, development.stack.outputs["Locks"]), "development's lock is taken")


def _leases(account, table):
    return client("dynamodb", account).scan(TableName=table)["Items"]
