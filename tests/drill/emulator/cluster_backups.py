"""Automatic backups of clusters: there from the first moment, and snapshots that are taken at night."""

from . import answer, rights, servers, state
from .answer import Refusal

MISSING = "DBClusterAutomatedBackupNotFoundFault"


def begin(record):
    """With its cluster."""
    state.CLUSTER_BACKUPS[record["DbClusterResourceId"]] = {
        "DbClusterResourceId": record["DbClusterResourceId"], "DBClusterIdentifier": record["DBClusterIdentifier"],
        "DBClusterAutomatedBackupsArn": record["DBClusterArn"].replace(":cluster:", ":cluster-auto-backup:ab-"),
        "Engine": record["Engine"], "Status": "active", "_account": record["_account"],
    }


def end(record, deleted):
    """Where its cluster ends they go, with the snapshots that they are made of, or they are kept: also where AWS Backup has such a
    rule.
    """
    if not deleted or state.limit(record["_account"], "kept-cluster-backups", 0):
        state.CLUSTER_BACKUPS[record["DbClusterResourceId"]]["Status"] = "retained"
        return
    state.CLUSTER_BACKUPS.pop(record["DbClusterResourceId"], None)
    for key, one in [*state.CLUSTER_SNAPSHOTS.items()]:
        if one["SnapshotType"] == "automated" and one["DbClusterResourceId"] == record["DbClusterResourceId"]:
            servers.remove(state.CLUSTER_SNAPSHOTS.pop(key)["_data"])


def describe(request):
    """Also of what is gone."""
    rights.require(request, [(request.arn("cluster-auto-backup", "*"), {}), (request.arn("cluster", "*"), {})])
    identifier = request.text("DbClusterResourceId")
    found = [one for one in state.CLUSTER_BACKUPS.values() if one["_account"] == request.account]
    found = [one for one in found if identifier in (None, one["DbClusterResourceId"])]
    return answer.page(request, "DBClusterAutomatedBackups", found)


def delete(request):
    """Deletes what outlived its cluster."""
    identifier = request.needed("DbClusterResourceId")
    found = state.CLUSTER_BACKUPS.get(identifier)
    rights.require(request, [(found["DBClusterAutomatedBackupsArn"] if found else request.arn("cluster-auto-backup", "*"), {})])
    if not found or found["_account"] != request.account:
        raise Refusal(MISSING, "There is none.", 404)
    if found["Status"] == "active":
        raise Refusal("InvalidDBClusterAutomatedBackupStateFault", "Its cluster is there.")
    del state.CLUSTER_BACKUPS[identifier]
    return {"DBClusterAutomatedBackup": found}
