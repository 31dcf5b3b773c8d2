"""Aurora clusters as RDS has them: created, restored, listed, deleted, each taking its time. A cluster is storage, a password and
a name; nobody answers there before it has an instance.

PostgreSQL alone, one instance at the most (readers are another matter). What is not known of a request here is refused.
"""

import re
import secrets
import threading
import uuid

from ministack.services import ec2, rds

from . import answer, cluster_backups, passwords, rights, servers, state
from .answer import Refusal

MISSING, EXISTS, BUSY = "DBClusterNotFoundFault", "DBClusterAlreadyExistsFault", "InvalidDBClusterStateFault"
ENGINE = "aurora-postgresql"
# What a region gives to whoever does not say which version.
DEFAULT_VERSION = "99.9"
# Of a request that makes one, whatever it is made of.
MADE_WITH = (
    "DBClusterIdentifier", "Engine", "EngineVersion", "Port", "DBSubnetGroupName", "VpcSecurityGroupIds",
    "DBClusterParameterGroupName", "KmsKeyId", "EnableIAMDatabaseAuthentication", "EnableCloudwatchLogsExports",
    "DeletionProtection", "CopyTagsToSnapshot", "StorageType", "ServerlessV2ScalingConfiguration", "EnablePerformanceInsights",
    "BackupRetentionPeriod", "PreferredBackupWindow", "Tags",
)
FILTERS = {"db-cluster-id": "DBClusterIdentifier", "db-cluster-resource-id": "DbClusterResourceId", "engine": "Engine"}


def create(request):
    """A new one, without an instance."""
    request.only(*MADE_WITH, "MasterUsername", "MasterUserPassword", "DatabaseName", "StorageEncrypted",
                 "PreferredMaintenanceWindow")
    name = named(request.needed("DBClusterIdentifier"))
    rights.require(request, [(request.arn("cluster", name), {}), *_groups(request)])
    key, password = request.text("KmsKeyId"), request.needed("MasterUserPassword")
    if key:
        rights.use_key(request, key)
    record = _new(request, name, {
        "MasterUsername": request.needed("MasterUsername"), "StorageEncrypted": request.flag("StorageEncrypted"),
        "KmsKeyId": key, "DatabaseName": request.text("DatabaseName"), "Port": request.number("Port", servers.PORT),
        "BackupRetentionPeriod": request.number("BackupRetentionPeriod", 1), "EngineVersion": servers.version(),
    })
    record["TagList"] = state.tag_list(request.tags())

    def work():
        names = [record["DatabaseName"]] if record["DatabaseName"] else []
        servers.create(record["_data"], record["Endpoint"], record["MasterUsername"], password, names)
        servers.stop(record["_data"])

    state.later(request, record, "Status", "creating", "available", work)
    return {"DBCluster": said(record)}


def restore(request):
    """One from a snapshot of the caller's own, under that snapshot's key or another one. It has no instance."""
    request.only(*MADE_WITH, "SnapshotIdentifier")
    name, wanted = named(request.needed("DBClusterIdentifier")), request.needed("SnapshotIdentifier")
    if request.needed("Engine") != ENGINE:
        raise Refusal("InvalidParameterCombination", "The engine is not the snapshot's.")
    snapshot = state.find(state.CLUSTER_SNAPSHOTS, request.account, request.region, wanted, "DBClusterSnapshotNotFoundFault")
    rights.require(request, [(request.arn("cluster", name), {}),
                             (snapshot["DBClusterSnapshotArn"], state.tag_map(snapshot)), *_groups(request)])
    if request.tags():
        rights.require(request, [(request.arn("cluster", name), {})], "rds:AddTagsToResource")
    if snapshot["Status"] != "available":
        raise Refusal("InvalidDBClusterSnapshotStateFault", f"The snapshot is {snapshot['Status']}.")
    if request.text("EngineVersion", snapshot["EngineVersion"]) != snapshot["EngineVersion"]:
        raise Refusal("InvalidParameterCombination", "It cannot be restored with that version.")
    key = request.text("KmsKeyId", snapshot["KmsKeyId"])
    for one in {snapshot["KmsKeyId"], key} - {None}:
        rights.use_key(request, one)
    record = _new(request, name, {
        "MasterUsername": snapshot["MasterUsername"], "StorageEncrypted": bool(key), "KmsKeyId": key,
        "DatabaseName": snapshot.get("_database"), "Port": request.number("Port", snapshot["_port"]),
        "BackupRetentionPeriod": request.number("BackupRetentionPeriod", snapshot["_days"]),
        "EngineVersion": request.text("EngineVersion", DEFAULT_VERSION),
    })
    given = request.tags()
    # The source's tags come along where none are given.
    record["TagList"] = state.tag_list(given if given is not None else snapshot["_source_tags"])
    state.later(request, record, "Status", "creating", "available", lambda: servers.copy(snapshot["_data"], record["_data"]))
    return {"DBCluster": said(record)}


def describe(request):
    """All of them, or one by its name, with the names of their instances."""
    name = request.text("DBClusterIdentifier")
    rights.require(request, [(request.arn("cluster", name or "*"), {})])
    found = state.of(state.CLUSTERS, request.account, request.region)
    if name:
        found = [state.find(state.CLUSTERS, request.account, request.region, name, MISSING)]
    for key, values in request.filters().items():
        if key not in FILTERS:
            raise Refusal("InvalidParameterValue", f"Unrecognized filter name: {key}")
        found = [one for one in found if one[FILTERS[key]] in values]
    state.looked(request, found)
    return answer.page(request, "DBClusters", [said(one) for one in found])


def delete(request):
    """Deletes one that has no instance any more, with its password's secret, and its automatic backups unless they are kept."""
    request.only("DBClusterIdentifier", "SkipFinalSnapshot", "DeleteAutomatedBackups")
    record = the(request)
    rights.require(request, [(record["DBClusterArn"], state.tag_map(record))])
    if record["Status"] == "deleting":
        raise Refusal(BUSY, "The cluster is being deleted.")
    if record["DeletionProtection"]:
        raise Refusal("InvalidParameterCombination", "Cannot delete protected Cluster, please disable deletion protection.")
    if members(record):
        raise Refusal(BUSY, "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
    if not request.flag("SkipFinalSnapshot"):
        raise Refusal("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required.")

    def work():
        servers.remove(record["_data"])
        passwords.drop(request, record)

    def gone():
        with state.LOCK:
            state.CLUSTERS.pop((record["_account"], request.region, record["DBClusterIdentifier"]), None)
            cluster_backups.end(record, request.flag("DeleteAutomatedBackups", True))
        return "deleted"

    state.later(request, record, "Status", "deleting", gone, work)
    return {"DBCluster": said(record)}


def said(record):
    """What RDS says of it: its instances are listed, and a port is of no use before there is one."""
    listed = [{"DBInstanceIdentifier": one["DBInstanceIdentifier"], "IsClusterWriter": one["_writes"],
               "DBClusterParameterGroupStatus": one["_group_status"], "PromotionTier": 1} for one in members(record)]
    return record | {"DBClusterMembers": listed, "Port": record["Port"] if listed else None}


def members(record):
    """Its instances."""
    return [one for one in state.of(state.INSTANCES, record["_account"], record["_region"])
            if one.get("DBClusterIdentifier") == record["DBClusterIdentifier"]]


def serve(record):
    """Starts its server anew where its name and those of its instances lead now; without an instance there is none."""
    with record["_lock"]:
        servers.stop(record["_data"])
        addresses = [one["Endpoint"]["Address"] for one in members(record) if one["_runs"]]
        if addresses:
            servers.start(record["_data"], record["Endpoint"], record["ReaderEndpoint"], *addresses, port=record["Port"])


def the(request):
    """The one that a request is about."""
    return state.find(state.CLUSTERS, request.account, request.region, request.needed("DBClusterIdentifier"), MISSING)


def must_be(record, status):
    """Or the request is refused."""
    if record["Status"] != status:
        raise Refusal(BUSY, f"The cluster is {record['Status']} and must be {status}.")


def named(name):
    """A name as RDS keeps it."""
    if len(name) > 63 or not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", name):
        raise Refusal("InvalidParameterValue", f"{name} is not a valid identifier.")
    return name.lower()


def places(account, name):
    """Where its endpoints are: they go with the name."""
    return {"Endpoint": state.address(account, f"{name}.cluster"), "ReaderEndpoint": state.address(account, f"{name}.cluster-ro")}


def family(record):
    """Of its parameter groups."""
    return f"{ENGINE}{record['EngineVersion'].split('.')[0]}"


def _groups(request):
    """What it belongs to; RDS asks for the groups that it would take by itself as well."""
    major = servers.version().split(".")[0]
    yield request.arn("subgrp", request.text("DBSubnetGroupName", "default")), {}
    yield request.arn("cluster-pg", request.text("DBClusterParameterGroupName", f"default.{ENGINE}{major}")), {}
    yield request.arn("og", f"default:{ENGINE}-{major}"), {}


def _new(request, name, facts):
    account, region = request.account, request.region
    if (account, region, name) in state.CLUSTERS:
        raise Refusal(EXISTS, f"{name} already exists.")
    if len(state.of(state.CLUSTERS, account, region)) >= state.limit(account, "clusters"):
        raise Refusal("DBClusterQuotaExceededFault", "The quota of clusters is used up.", 403)
    subnets, group = request.text("DBSubnetGroupName", "default"), request.text("DBClusterParameterGroupName")
    if subnets != "default" and subnets not in rds._subnet_groups:
        raise Refusal("DBSubnetGroupNotFoundFault", f"{subnets} not found.", 404)
    if group and group not in rds._db_cluster_param_groups:
        raise Refusal("DBClusterParameterGroupNotFound", f"{group} not found.", 404)
    if group and rds._db_cluster_param_groups[group]["DBParameterGroupFamily"] != family(facts):
        raise Refusal("InvalidParameterCombination", f"{group} is of another family.")
    groups = request.list("VpcSecurityGroupIds") or ["sg-default"]
    if strange := [one for one in groups if one != "sg-default" and one not in ec2._security_groups]:
        raise Refusal("InvalidParameterValue", f"Invalid security group {strange[0]}")
    if not 1 <= facts["BackupRetentionPeriod"] <= 35:
        raise Refusal("InvalidParameterValue", "Backups of a cluster are kept from 1 to 35 days.")
    if request.text("StorageType", "aurora") not in ("aurora", "aurora-iopt1"):
        raise Refusal("InvalidParameterCombination", "Invalid storage type.")
    scaling = {field: request.text(f"ServerlessV2ScalingConfiguration.{field}") for field in ("MinCapacity", "MaxCapacity")}
    record = facts | places(account, name) | {
        "DBClusterIdentifier": name, "DBClusterArn": request.arn("cluster", name), "Engine": ENGINE,
        "DbClusterResourceId": "cluster-" + secrets.token_hex(13).upper(), "Status": "creating", "EngineMode": "provisioned",
        "ClusterCreateTime": state.moment(), "AllocatedStorage": 1, "MultiAZ": False, "DBSubnetGroup": subnets,
        "DBClusterParameterGroup": group or f"default.{family(facts)}",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": one, "Status": "active"} for one in groups],
        "AvailabilityZones": [f"{region}{zone}" for zone in "abc"], "DeletionProtection": request.flag("DeletionProtection"),
        "CopyTagsToSnapshot": request.flag("CopyTagsToSnapshot"), "HttpEndpointEnabled": False, "CrossAccountClone": False,
        "IAMDatabaseAuthenticationEnabled": request.flag("EnableIAMDatabaseAuthentication"),
        "PerformanceInsightsEnabled": request.flag("EnablePerformanceInsights"), "DatabaseInsightsMode": "standard",
        "ActivityStreamStatus": "stopped", "EnabledCloudwatchLogsExports": request.list("EnableCloudwatchLogsExports") or [],
        # Of the ordinary one nothing is said.
        "StorageType": None if request.text("StorageType", "aurora") == "aurora" else request.text("StorageType"),
        "ServerlessV2ScalingConfiguration": scaling if any(scaling.values()) else None,
        "PreferredBackupWindow": request.text("PreferredBackupWindow", "03:00-03:30"),
        "PreferredMaintenanceWindow": request.text("PreferredMaintenanceWindow", "sun:05:00-sun:05:30"),
        "TagList": [], "_data": servers.root() / account / uuid.uuid4().hex / "data", "_account": account, "_region": region,
        "_lock": threading.Lock(),
    }
    with state.LOCK:
        state.CLUSTERS[(account, region, name)] = record
    cluster_backups.begin(record)
    return record
