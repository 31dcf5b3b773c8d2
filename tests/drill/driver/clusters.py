"""What must be true of clusters after a run, as looks.py has it for instances."""

from . import looks
from .accounts import DEVELOPMENT, PRODUCTION, client, pages
from .looks import ensure


def names(account):
    """Of an account's clusters, and of their instances."""
    clusters = {one["DBClusterIdentifier"] for one in pages("rds", account, "describe_db_clusters", "DBClusters")}
    found = pages("rds", account, "describe_db_instances", "DBInstances")
    return clusters, {one["DBInstanceIdentifier"] for one in found if "DBClusterIdentifier" in one}


def snapshots(account, prefix=""):
    """Names of an account's own snapshots of clusters."""
    found = pages("rds", account, "describe_db_cluster_snapshots", "DBClusterSnapshots")
    return {one["DBClusterSnapshotIdentifier"] for one in found if one["DBClusterSnapshotIdentifier"].startswith(prefix)}


def backups(account):
    """Of which clusters there are automatic backups, also of those that are gone, by what names do not change."""
    found = pages("rds", account, "describe_db_cluster_automated_backups", "DBClusterAutomatedBackups")
    return {one["DbClusterResourceId"] for one in found}


def secrets(account):
    """Where RDS keeps passwords of clusters."""
    return {one["Name"] for one in pages("secretsmanager", account, "list_secrets", "SecretList")
            if one["Name"].startswith("rds!cluster-")}


def nothing_raw(production):
    """Nothing of a run but its release is there."""
    ensure(names(PRODUCTION) == ({"till-production"}, {"till-production-1"}), f"production has {names(PRODUCTION)}")
    left = {name for name in snapshots(PRODUCTION, "anon-") if not name.startswith("anon-share-")}
    ensure(not left, f"production still has {left}")
    ensure(len(backups(PRODUCTION)) == 1, f"automatic backups are {backups(PRODUCTION)}")
    ensure(not secrets(PRODUCTION), f"secrets are left: {secrets(PRODUCTION)}")
    looks.forgotten(production, "till")


def releases(production, runs):
    """Exactly what was released is: a snapshot of each run, shared with development alone, with its statement."""
    wanted = {f"anon-share-till-{run}" for run in runs}
    ensure(snapshots(PRODUCTION, "anon-share-") == wanted, f"released are {snapshots(PRODUCTION, 'anon-share-')}, not {wanted}")
    for name in wanted:
        answer = production.rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
        attributes = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
        accounts = [value for one in attributes for value in one["AttributeValues"]]
        ensure(accounts == [DEVELOPMENT], f"{name} is shared with {accounts}")
    statements = looks.objects(PRODUCTION, production.evidence, "releases/till/")
    ensure(statements == {f"releases/till/{name}.json" for name in wanted}, f"statements are {statements}")


def rest(development, resource_id):
    """That very cluster alone with its writer, its backups and its password, no lock, nothing half made; or none at all."""
    clusters, members = names(DEVELOPMENT)
    ensure(clusters == ({"dev-till"} if resource_id else set()), f"development has {clusters}")
    ensure(len(members) == len(clusters), f"its instances are {members}")
    ensure(backups(DEVELOPMENT) == ({resource_id} if resource_id else set()), f"automatic backups are {backups(DEVELOPMENT)}")
    ensure(len(secrets(DEVELOPMENT)) == len(clusters), f"secrets are {secrets(DEVELOPMENT)}")
    ensure(not looks.leased(DEVELOPMENT, development.stack.outputs["Locks"], "till"), "development's lock of till is taken")


def current():
    """Development's."""
    return client("rds", DEVELOPMENT).describe_db_clusters(DBClusterIdentifier="dev-till")["DBClusters"][0]
