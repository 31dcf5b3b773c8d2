"""Snapshots of clusters as RDS has them: taken, also by itself at night; copied under a key, shared with accounts, deleted.

The rules of sharing are those for snapshots of instances. Others are a cluster's own: names of 63 characters, a list of its own,
`StorageEncrypted`, and no word of when the data was as it is in a copy.
"""

import datetime
import uuid

from . import answer, clusters, rights, servers, state
from .answer import Refusal

MISSING, EXISTS = "DBClusterSnapshotNotFoundFault", "DBClusterSnapshotAlreadyExistsFault"
BUSY = "InvalidDBClusterSnapshotStateFault"
SORTS = (None, "automated", "manual", "shared", "public", "awsbackup")


def create(request):
    """One of a cluster that is available."""
    request.only("DBClusterIdentifier", "DBClusterSnapshotIdentifier", "Tags")
    name, source = clusters.named(request.needed("DBClusterSnapshotIdentifier")), clusters.the(request)
    arn = request.arn("cluster-snapshot", name)
    rights.require(request, [(source["DBClusterArn"], state.tag_map(source)), (arn, {})])
    _require_tagging(request, arn)
    clusters.must_be(source, "available")
    if source["KmsKeyId"]:
        rights.use_key(request, source["KmsKeyId"])
    return {"DBClusterSnapshot": _take(request, source, name, "manual", request.tags())}


def at_night(request, source):
    """The one that RDS takes by itself. Nobody has asked for it, and nobody's rights are looked at."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d-%H-%M-%S")
    return _take(request, source, f"rds:{source['DBClusterIdentifier']}-{stamp}", "automated", state.tag_map(source))


def copy(request):
    """One's own, or one that is shared with the caller, under a key."""
    request.only("SourceDBClusterSnapshotIdentifier", "TargetDBClusterSnapshotIdentifier", "KmsKeyId", "CopyTags", "Tags")
    source, own = _visible(request, request.needed("SourceDBClusterSnapshotIdentifier"))
    name, key = clusters.named(request.needed("TargetDBClusterSnapshotIdentifier")), request.text("KmsKeyId")
    arn = request.arn("cluster-snapshot", name)
    rights.require(request, [(source["DBClusterSnapshotArn"], state.tag_map(source) if own else {}), (arn, {})])
    _require_tagging(request, arn)
    if source["Status"] != "available":
        raise Refusal(BUSY, f"The snapshot is {source['Status']}.")
    if key and not source["StorageEncrypted"]:
        raise Refusal("InvalidParameterCombination", "A copy of a snapshot that is not encrypted cannot be.")
    if source["StorageEncrypted"]:
        if not own and not key:
            raise Refusal("InvalidParameterCombination", "A shared, encrypted snapshot is copied with a key.")
        rights.use_key(request, source["KmsKeyId"])
    if key:
        rights.use_key(request, key)
    if not own and request.flag("CopyTags"):
        raise Refusal("InvalidParameterCombination", "Tags of another account's snapshot cannot be copied.")
    record = _new(request, name, {field: value for field, value in source.items() if field not in (
        "_shared", "_data", "_seen", "_asked")} | {
        "KmsKeyId": key or source["KmsKeyId"], "SourceDBClusterSnapshotArn": source["DBClusterSnapshotArn"],
        "SnapshotType": "manual"}, request.tags())
    _work(request, record, "copying", lambda: servers.copy(source["_data"], record["_data"]))
    return {"DBClusterSnapshot": record}


def describe(request):
    """The caller's own, or those that others share with it; theirs bear their ARN as their name, and no tags. An automatic one is
    not found by its name alone.
    """
    request.only("DBClusterIdentifier", "DBClusterSnapshotIdentifier", "SnapshotType", "MaxRecords", "Marker")
    name, sort = request.text("DBClusterSnapshotIdentifier"), request.text("SnapshotType")
    of = request.text("DBClusterIdentifier")
    if sort not in SORTS:
        raise Refusal("InvalidParameterValue", f"{sort} is no type of snapshots.")
    if name and of:
        raise Refusal("InvalidParameterCombination", "One of the two identifiers only.")
    resources = [(request.arn("cluster-snapshot", name.split(":cluster-snapshot:")[-1] if name else "*"), {})]
    if not name:
        resources.append((request.arn("cluster", of or "*"), {}))
    rights.require(request, resources)
    if name:
        record, own = _visible(request, name)
        if record["SnapshotType"] == "automated" != sort:
            raise Refusal(MISSING, f"{name} not found.", 404)
        state.looked(request, [record])
        return {"DBClusterSnapshots": [record if own else _foreign(record)]}
    if sort == "shared":
        found = [_foreign(one) for (owner, region, _), one in state.CLUSTER_SNAPSHOTS.items()
                 if owner != request.account and region == request.region and request.account in one["_shared"]]
        # Asked for together with the name of a cluster, RDS finds nothing.
        return answer.page(request, "DBClusterSnapshots", [] if of else found)
    own = state.of(state.CLUSTER_SNAPSHOTS, request.account, request.region)
    own = [one for one in own if sort in (None, one["SnapshotType"]) and of in (None, one["DBClusterIdentifier"])]
    return answer.page(request, "DBClusterSnapshots", state.looked(request, own))


def delete(request):
    """One that somebody has made, at once."""
    request.only("DBClusterSnapshotIdentifier")
    record, own = _visible(request, request.needed("DBClusterSnapshotIdentifier"))
    if not own:
        raise Refusal(MISSING, "There is none of that name.", 404)
    rights.require(request, [(record["DBClusterSnapshotArn"], state.tag_map(record))])
    if record["Status"] != "available" or record["SnapshotType"] != "manual":
        raise Refusal(BUSY, f"The snapshot is {record['SnapshotType']} and {record['Status']}.")
    with state.LOCK:
        state.CLUSTER_SNAPSHOTS.pop((request.account, request.region, record["DBClusterSnapshotIdentifier"]), None)
    servers.remove(record["_data"])
    return {"DBClusterSnapshot": record | {"Status": "deleted"}}


def change_accounts(request):
    """Who may restore it."""
    request.only("DBClusterSnapshotIdentifier", "AttributeName", "ValuesToAdd", "ValuesToRemove")
    record, own = _visible(request, request.needed("DBClusterSnapshotIdentifier"))
    rights.require(request, [(record["DBClusterSnapshotArn"], state.tag_map(record))])
    if request.text("AttributeName") != "restore":
        raise Refusal("InvalidParameterValue", "The attribute is `restore`.")
    add = set(request.list("ValuesToAdd") or ())
    if "all" in add and record["StorageEncrypted"]:
        raise Refusal("InvalidParameterValue", "Encrypted snapshots cannot be public.")
    if not own or record["Status"] != "available" or record["SnapshotType"] != "manual":
        raise Refusal(BUSY, f"The snapshot is {record['SnapshotType']} and {record['Status']}.")
    shared = (record["_shared"] | add) - set(request.list("ValuesToRemove") or ())
    if len(shared) > 20:
        raise Refusal("SharedSnapshotQuotaExceeded", "A snapshot is shared with 20 accounts at the most.")
    record["_shared"] = shared
    return _accounts(record)


def accounts(request):
    """Who may restore it."""
    request.only("DBClusterSnapshotIdentifier")
    record, own = _visible(request, request.needed("DBClusterSnapshotIdentifier"))
    rights.require(request, [(record["DBClusterSnapshotArn"], state.tag_map(record))])
    if not own:
        raise Refusal(MISSING, "There is none of that name.", 404)
    return _accounts(record)


def _accounts(record):
    attribute = {"AttributeName": "restore", "AttributeValues": sorted(record["_shared"])}
    return {"DBClusterSnapshotAttributesResult": {"DBClusterSnapshotIdentifier": record["DBClusterSnapshotIdentifier"],
                                                  "DBClusterSnapshotAttributes": [attribute]}}


def _visible(request, name):
    """The record, and whether it is the caller's own. Another account's goes by its ARN."""
    owner = request.account
    if name.startswith("arn:"):
        owner, name = name.split(":")[4], name.split(":", 6)[6]
    record = state.find(state.CLUSTER_SNAPSHOTS, owner, request.region, name, MISSING)
    if owner != request.account and request.account not in record["_shared"]:
        raise Refusal(MISSING, f"{name} not found.", 404)
    return record, owner == request.account


def _foreign(record):
    return record | {"DBClusterSnapshotIdentifier": record["DBClusterSnapshotArn"], "SnapshotType": "shared", "TagList": []}


def _require_tagging(request, arn):
    if request.tags():
        rights.require(request, [(arn, {})], "rds:AddTagsToResource")


def _take(request, source, name, sort, tags):
    record = _new(request, name, {field: source[field] for field in (
        "DBClusterIdentifier", "DbClusterResourceId", "Engine", "EngineMode", "EngineVersion", "MasterUsername",
        "AllocatedStorage", "StorageEncrypted", "KmsKeyId", "ClusterCreateTime", "AvailabilityZones")} | {
        "SnapshotType": sort, "Port": 0, "LicenseModel": "postgresql-license", "IAMDatabaseAuthenticationEnabled": False,
        "_source_tags": state.tag_map(source), "_port": source["Port"], "_days": source["BackupRetentionPeriod"],
        "_database": source["DatabaseName"]}, tags)
    runs = any(member["_runs"] for member in clusters.members(source))
    work = servers.back_up if runs else servers.copy
    _work(request, record, "creating", lambda: work(source["_data"], record["_data"]))
    return record


def _new(request, name, facts, tags):
    key = (request.account, request.region, name)
    if key in state.CLUSTER_SNAPSHOTS:
        raise Refusal(EXISTS, f"{name} already exists.")
    manual = [one for one in state.of(state.CLUSTER_SNAPSHOTS, *key[:2]) if one["SnapshotType"] == "manual"]
    if facts["SnapshotType"] == "manual" and len(manual) >= state.limit(request.account, "cluster-snapshots"):
        raise Refusal("SnapshotQuotaExceeded", "The quota of snapshots of clusters is used up.")
    record = facts | {
        "DBClusterSnapshotIdentifier": name, "DBClusterSnapshotArn": request.arn("cluster-snapshot", name),
        "SnapshotCreateTime": state.moment(), "PercentProgress": 0, "TagList": state.tag_list(tags), "_shared": set(),
        "_data": servers.root() / request.account / uuid.uuid4().hex / "data",
    }
    with state.LOCK:
        state.CLUSTER_SNAPSHOTS[key] = record
    return record


def _work(request, record, during, work):
    def done():
        work()
        record["PercentProgress"] = 100

    state.later(request, record, "Status", during, "available", done)
