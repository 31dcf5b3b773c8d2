"""Which request to RDS is answered by what here."""

from ministack.services import rds

from . import answer, changes, clusters, instances, snapshots, tags
from .request import Request

ACTIONS = {
    "CreateDBInstance": instances.create,
    "RestoreDBInstanceFromDBSnapshot": instances.restore,
    "DescribeDBInstances": instances.describe,
    "DeleteDBInstance": instances.delete,
    "DescribeDBInstanceAutomatedBackups": instances.backups,
    "DeleteDBInstanceAutomatedBackup": instances.delete_backup,
    "ModifyDBInstance": changes.modify,
    "RebootDBInstance": changes.reboot,
    "StartDBInstance": changes.start,
    "StopDBInstance": changes.stop,
    "CreateDBSnapshot": snapshots.create,
    "CopyDBSnapshot": snapshots.copy,
    "DescribeDBSnapshots": snapshots.describe,
    "DeleteDBSnapshot": snapshots.delete,
    "ModifyDBSnapshotAttribute": snapshots.change_accounts,
    "DescribeDBSnapshotAttributes": snapshots.accounts,
    "DescribeDBClusters": clusters.describe,
    "DescribeDBClusterSnapshots": clusters.snapshots,
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
