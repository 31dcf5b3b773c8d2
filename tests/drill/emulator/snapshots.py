"""Snapshots of instances as RDS has them: taken, copied under a key, shared with accounts, deleted.

The rules of sharing are those of RDS as its guides tell them: a shared, encrypted snapshot is copied with a key of one's own,
its own key must let the other account in, and nobody sees what is not shared with him.
"""

import uuid

from . import rights, servers, state
from .answer import Refusal

MISSING, EXISTS, BUSY = "DBSnapshotNotFound", "DBSnapshotAlreadyExists", "InvalidDBSnapshotState"
# A tag with which a snapshot was taken so many hours ago.
AGE = "drill:hours-ago"


def create(request):
    """One of an instance that is available."""
    name = request.needed("DBSnapshotIdentifier").lower()
    source = state.find(state.INSTANCES, request.account, request.region, request.needed("DBInstanceIdentifier"),
                        "DBInstanceNotFound")
    arn = request.arn("snapshot", name)
    rights.require(request, [(source["DBInstanceArn"], state.tag_map(source)), (arn, {})])
    _require_tagging(request, arn)
    if source["DBInstanceStatus"] != "available":
        raise Refusal("InvalidDBInstanceState", f"The instance is {source['DBInstanceStatus']}.")
    # The drill may want one that was taken some time ago.
    hours = int((request.tags() or {}).get(AGE, 0))
    now = state.moment(hours)
    record = _new(request, name, {
        "DBInstanceIdentifier": source["DBInstanceIdentifier"], "DbiResourceId": source["DbiResourceId"],
        "Engine": source["Engine"], "EngineVersion": source["EngineVersion"],
        "MasterUsername": source["MasterUsername"], "AllocatedStorage": source["AllocatedStorage"],
        "StorageType": source["StorageType"], "DBName": source.get("DBName"), "Encrypted": source["StorageEncrypted"],
        "KmsKeyId": source["KmsKeyId"], "OriginalSnapshotCreateTime": now, "SnapshotDatabaseTime": now,
        "_source_tags": state.tag_map(source), "SnapshotCreateTime": now,
    })
    _work(request, record, lambda: servers.back_up(source["_data"], record["_data"]))
    return {"DBSnapshot": record}


def copy(request):
    """One's own, or one that is shared with the caller, under a key."""
    source, own = _visible(request, request.needed("SourceDBSnapshotIdentifier"))
    name, key = request.needed("TargetDBSnapshotIdentifier").lower(), request.text("KmsKeyId")
    arn = request.arn("snapshot", name)
    rights.require(request, [(source["DBSnapshotArn"], state.tag_map(source) if own else {}), (arn, {})])
    _require_tagging(request, arn)
    if source["Status"] != "available":
        raise Refusal(BUSY, f"The snapshot is {source['Status']}.")
    if source["Encrypted"]:
        if not own and not key:
            raise Refusal("InvalidParameterCombination", "A shared, encrypted snapshot is copied with a key.")
        rights.use_key(request, source["KmsKeyId"])
    if key:
        rights.use_key(request, key)
    facts = {field: source[field] for field in (
        "DBInstanceIdentifier", "DbiResourceId", "Engine", "EngineVersion", "MasterUsername", "AllocatedStorage",
        "StorageType", "DBName", "OriginalSnapshotCreateTime", "SnapshotDatabaseTime", "_source_tags")}
    record = _new(request, name, facts | {
        "Encrypted": bool(key) or source["Encrypted"], "KmsKeyId": key or source["KmsKeyId"],
        "SourceDBSnapshotIdentifier": source["DBSnapshotArn"],
    })
    _work(request, record, lambda: servers.copy(source["_data"], record["_data"]))
    return {"DBSnapshot": record}


def describe(request):
    """The caller's own, or those that others share with it; theirs bear their ARN as their name, and no tags."""
    name, sort = request.text("DBSnapshotIdentifier"), request.text("SnapshotType")
    rights.require(request, [(request.arn("snapshot", (name or "*").rsplit(":", 1)[-1]), {})])
    if name:
        record, own = _visible(request, name)
        state.looked(request, [record])
        return {"DBSnapshots": [record if own else _foreign(record)]}
    if sort == "shared":
        all_of_all = [one for (owner, region, _), one in state.SNAPSHOTS.items()
                      if owner != request.account and region == request.region]
        return {"DBSnapshots": [_foreign(one) for one in all_of_all if request.account in one["_shared"]]}
    own = state.of(state.SNAPSHOTS, request.account, request.region)
    return {"DBSnapshots": state.looked(request, [one for one in own if sort in (None, one["SnapshotType"])])}


def delete(request):
    """At once; a copy that is being made of it fails on RDS."""
    record, own = _visible(request, request.needed("DBSnapshotIdentifier"))
    if not own:
        raise Refusal(MISSING, "There is none of that name.", 404)
    rights.require(request, [(record["DBSnapshotArn"], state.tag_map(record))])
    if record["Status"] == "creating":
        raise Refusal(BUSY, "The snapshot is being created.")
    with state.LOCK:
        state.SNAPSHOTS.pop((request.account, request.region, record["DBSnapshotIdentifier"]), None)
    servers.remove(record["_data"])
    return {"DBSnapshot": record | {"Status": "deleted"}}


def change_accounts(request):
    """Who may restore it."""
    record, _ = _visible(request, request.needed("DBSnapshotIdentifier"))
    rights.require(request, [(record["DBSnapshotArn"], state.tag_map(record))])
    if request.text("AttributeName") != "restore":
        raise Refusal("InvalidParameterValue", "The attribute is `restore`.")
    add = set(request.list("ValuesToAdd") or ())
    if "all" in add and record["Encrypted"]:
        raise Refusal("InvalidParameterValue", "Encrypted snapshots cannot be public.")
    if record["Status"] != "available":
        raise Refusal(BUSY, f"The snapshot is {record['Status']}.")
    shared = (record["_shared"] | add) - set(request.list("ValuesToRemove") or ())
    if len(shared) > 20:
        raise Refusal("SharedSnapshotQuotaExceeded", "A snapshot is shared with 20 accounts at the most.")
    record["_shared"] = shared
    record["_ever_shared"] |= shared
    return _accounts(record)


def accounts(request):
    """Who may restore it."""
    record, _ = _visible(request, request.needed("DBSnapshotIdentifier"))
    rights.require(request, [(record["DBSnapshotArn"], state.tag_map(record))])
    return _accounts(record)


def _accounts(record):
    attribute = {"AttributeName": "restore", "AttributeValues": sorted(record["_shared"])}
    return {"DBSnapshotAttributesResult": {"DBSnapshotIdentifier": record["DBSnapshotIdentifier"],
                                           "DBSnapshotAttributes": [attribute]}}


def _visible(request, name):
    """The record, and whether it is the caller's own."""
    owner = request.account
    if name.startswith("arn:"):
        owner, name = name.split(":")[4], name.split(":", 6)[6]
    record = state.find(state.SNAPSHOTS, owner, request.region, name, MISSING)
    if owner != request.account and request.account not in record["_shared"]:
        raise Refusal(MISSING, f"{name} not found.", 404)
    return record, owner == request.account


def _foreign(record):
    return record | {"DBSnapshotIdentifier": record["DBSnapshotArn"], "SnapshotType": "shared", "TagList": []}


def _require_tagging(request, arn):
    if request.tags():
        rights.require(request, [(arn, {})], "rds:AddTagsToResource")


def _new(request, name, facts):
    key = (request.account, request.region, name)
    if key in state.SNAPSHOTS:
        raise Refusal(EXISTS, f"{name} already exists.")
    if len(state.of(state.SNAPSHOTS, *key[:2])) >= state.limit(request.account, "snapshots"):
        raise Refusal("SnapshotQuotaExceeded", "The quota of snapshots is used up.")
    record = {"SnapshotCreateTime": state.moment()} | facts | {
        "DBSnapshotIdentifier": name, "DBSnapshotArn": request.arn("snapshot", name), "SnapshotType": "manual",
        "PercentProgress": 0, "TagList": state.tag_list(request.tags()),
        "_shared": set(), "_ever_shared": set(),
        "_data": servers.root() / request.account / uuid.uuid4().hex / "data",
    }
    with state.LOCK:
        state.SNAPSHOTS[key] = record
    return record


def _work(request, record, work):
    def done():
        work()
        record["PercentProgress"] = 100

    state.later(request, record, "Status", "creating", "available", done)
