"""Tags of instances, clusters and snapshots, put on and read by their ARNs."""

from . import rights, state
from .answer import Refusal

# Where they are, and how RDS says that there is none.
KINDS = {
    "db": (state.INSTANCES, "DBInstanceNotFound"),
    "snapshot": (state.SNAPSHOTS, "DBSnapshotNotFound"),
    "cluster": (state.CLUSTERS, "DBClusterNotFoundFault"),
    "cluster-snapshot": (state.CLUSTER_SNAPSHOTS, "DBClusterSnapshotNotFoundFault"),
}


def add(request):
    """Each in place of one of its key."""
    record = _record(request)
    rights.require(request, [(request.text("ResourceName"), state.tag_map(record))])
    record["TagList"] = state.tag_list(state.tag_map(record) | (request.tags() or {}))
    return {}


def listed(request):
    """All of them."""
    record = _record(request)
    rights.require(request, [(request.text("ResourceName"), state.tag_map(record))])
    return {"TagList": record["TagList"]}


def _record(request):
    *_, account, kind, name = request.needed("ResourceName").split(":", 6)
    records, missing = KINDS.get(kind, (None, None))
    if records is None or account != request.account:
        raise Refusal("InvalidParameterValue", "It is no database and no snapshot of this account.")
    return state.find(records, account, request.region, name, missing)
