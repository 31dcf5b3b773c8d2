"""Clusters, of which there are none: whoever may look is told so."""

from . import rights
from .answer import Refusal


def describe(request):
    """No cluster."""
    return _none(request, "cluster", "DBClusterIdentifier", "DBClusterNotFoundFault", "DBClusters")


def snapshots(request):
    """No snapshot of a cluster."""
    name = "DBClusterSnapshotIdentifier"
    return _none(request, "cluster-snapshot", name, "DBClusterSnapshotNotFoundFault", "DBClusterSnapshots")


def _none(request, kind, parameter, code, field):
    name = request.text(parameter)
    rights.require(request, [(request.arn(kind, name or "*"), {})])
    if name:
        raise Refusal(code, f"{name} not found.", 404)
    return {field: []}
