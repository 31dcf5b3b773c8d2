"""Which request to RDS is answered by what here."""

from ministack.services import rds

from . import (answer, changes, cluster_backups, cluster_changes, cluster_snapshots, clusters, instances, members, snapshots,
               tags)
from .request import Request

ACTIONS = {
    "CreateDBInstance": members.or_instance(members.create, instances.create),
    "RestoreDBInstanceFromDBSnapshot": instances.restore,
    "DescribeDBInstances": instances.describe,
    "DeleteDBInstance": members.or_instance(members.delete, instances.delete),
    "DescribeDBInstanceAutomatedBackups": instances.backups,
    "DeleteDBInstanceAutomatedBackup": instances.delete_backup,
    "ModifyDBInstance": members.or_instance(members.modify, changes.modify),
    "RebootDBInstance": members.or_instance(members.reboot, changes.reboot),
    "StartDBInstance": members.or_instance(members.cluster_alone, changes.start),
    "StopDBInstance": members.or_instance(members.cluster_alone, changes.stop),
    "CreateDBSnapshot": members.or_instance(members.cluster_alone, snapshots.create),
    "CopyDBSnapshot": snapshots.copy,
    "DescribeDBSnapshots": snapshots.describe,
    "DeleteDBSnapshot": snapshots.delete,
    "ModifyDBSnapshotAttribute": snapshots.change_accounts,
    "DescribeDBSnapshotAttributes": snapshots.accounts,
    "CreateDBCluster": clusters.create,
    "RestoreDBClusterFromSnapshot": clusters.restore,
    "DescribeDBClusters": clusters.describe,
    "DeleteDBCluster": clusters.delete,
    "ModifyDBCluster": cluster_changes.modify,
    "StartDBCluster": cluster_changes.start,
    "StopDBCluster": cluster_changes.stop,
    "DescribeDBClusterAutomatedBackups": cluster_backups.describe,
    "DeleteDBClusterAutomatedBackup": cluster_backups.delete,
    "CreateDBClusterSnapshot": cluster_snapshots.create,
    "CopyDBClusterSnapshot": cluster_snapshots.copy,
    "DescribeDBClusterSnapshots": cluster_snapshots.describe,
    "DeleteDBClusterSnapshot": cluster_snapshots.delete,
    "ModifyDBClusterSnapshotAttribute": cluster_snapshots.change_accounts,
    "DescribeDBClusterSnapshotAttributes": cluster_snapshots.accounts,
    "AddTagsToResource": tags.add,
    "ListTagsForResource": tags.listed,
}


def install():
    """Puts them in the place of the emulator's."""
    rds._get_docker = lambda: None
    for action, function in ACTIONS.items():
        rds._ACTION_MAP[action] = _handler(action, function)


def _handler(action, function):
    def handle(parameters):
        try:
            return answer.document(action, function(Request(action, parameters)))
        except answer.Refusal as refusal:
            print(f"rds refuses {action}: {refusal.code}: {refusal.message}", flush=True)
            return answer.refuse(refusal)

    return handle
