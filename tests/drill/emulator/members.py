"""Instances of clusters: the same requests as for instances that are databases themselves, and other rules. What belongs to the
cluster (its password, backups, groups, protection) is refused here, as RDS refuses it.
"""

import secrets

from ministack.services import rds

from . import clusters, instances, rights, state
from .answer import Refusal

MADE_WITH = (
    "DBInstanceIdentifier", "DBClusterIdentifier", "DBInstanceClass", "Engine", "DBParameterGroupName", "AvailabilityZone",
    "PubliclyAccessible", "AutoMinorVersionUpgrade", "EnablePerformanceInsights", "MonitoringInterval", "PromotionTier",
    "CACertificateIdentifier", "PreferredMaintenanceWindow", "Tags",
)
FIELD = "DBInstanceStatus"


def or_instance(of_member, of_instance):
    """One or the other, by what a request is about."""

    def handle(request):
        name = (request.text("DBInstanceIdentifier") or "").lower()
        found = state.INSTANCES.get((request.account, request.region, name), {})
        return (of_member if request.text("DBClusterIdentifier") or found.get("DBClusterIdentifier") else of_instance)(request)

    return handle


def create(request):
    """The writer of a cluster that is available and has none."""
    request.only(*MADE_WITH)
    name = clusters.named(request.needed("DBInstanceIdentifier"))
    cluster = clusters.the(request)
    major = cluster["EngineVersion"].split(".")[0]
    group = request.text("DBParameterGroupName", f"default.{clusters.family(cluster)}")
    rights.require(request, [
        (request.arn("db", name), {}), (cluster["DBClusterArn"], state.tag_map(cluster)), (request.arn("pg", group), {}),
        (request.arn("og", f"default:{clusters.ENGINE}-{major}"), {}), (request.arn("subgrp", cluster["DBSubnetGroup"]), {})])
    if request.tags():
        rights.require(request, [(request.arn("db", name), {})], "rds:AddTagsToResource")
    if cluster["KmsKeyId"]:
        rights.use_key(request, cluster["KmsKeyId"])
    clusters.must_be(cluster, "available")
    _fits(request, cluster, name, group)
    record = {
        "DBInstanceIdentifier": name, "DBInstanceArn": request.arn("db", name), FIELD: "creating",
        "DbiResourceId": "db-" + secrets.token_hex(13).upper(), "DBClusterIdentifier": cluster["DBClusterIdentifier"],
        "DBInstanceClass": request.needed("DBInstanceClass"), "InstanceCreateTime": state.moment(),
        "MasterUsername": cluster["MasterUsername"], "AllocatedStorage": 1, "MultiAZ": False, "StorageType": "aurora",
        "Endpoint": {"Address": state.address(request.account, name), "Port": cluster["Port"]},
        "DBSubnetGroup": {"DBSubnetGroupName": cluster["DBSubnetGroup"]}, "DeletionProtection": False,
        "DBParameterGroups": [{"DBParameterGroupName": group, "ParameterApplyStatus": "in-sync"}],
        "PendingModifiedValues": {}, "PubliclyAccessible": request.flag("PubliclyAccessible"),
        "AutoMinorVersionUpgrade": request.flag("AutoMinorVersionUpgrade", True), "PromotionTier": 1,
        "CACertificateIdentifier": request.text("CACertificateIdentifier", "rds-ca-rsa2048-g1"), "MonitoringInterval": 0,
        "PerformanceInsightsEnabled": request.flag("EnablePerformanceInsights"),
        "PreferredMaintenanceWindow": request.text("PreferredMaintenanceWindow", "sun:06:00-sun:06:30"),
        "TagList": state.tag_list(request.tags()), "_writes": False, "_runs": False,
        # As long as it runs, what the cluster's own group says of what a server starts with is not in use.
        "_group_status": "in-sync" if cluster["DBClusterParameterGroup"].startswith("default.") else "pending-reboot",
    } | {field: cluster[field] for field in (
        "Engine", "EngineVersion", "StorageEncrypted", "KmsKeyId", "VpcSecurityGroups", "BackupRetentionPeriod",
        "CopyTagsToSnapshot", "IAMDatabaseAuthenticationEnabled", "PreferredBackupWindow", "DatabaseInsightsMode")}
    with state.LOCK:
        state.INSTANCES[(request.account, request.region, name)] = record

    def work():
        record["_runs"] = True
        clusters.serve(cluster)
        record["_writes"] = True

    state.later(request, record, FIELD, "creating", "available", work)
    return {"DBInstance": record}


def modify(request):
    """A new name and nothing else; it is a restart."""
    request.only("DBInstanceIdentifier", "NewDBInstanceIdentifier", "ApplyImmediately")
    record, cluster = _the(request)
    new = clusters.named(request.needed("NewDBInstanceIdentifier"))
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record)), (request.arn("db", new), {})])
    instances.must_be(record, "available")
    if record["PendingModifiedValues"]:
        raise Refusal(instances.BUSY, "The instance is being renamed.")
    if (request.account, request.region, new) in state.INSTANCES:
        raise Refusal(instances.EXISTS, f"{new} already exists.")
    record["PendingModifiedValues"] = {"DBInstanceIdentifier": new}

    def work():
        with state.LOCK:
            state.INSTANCES.pop((request.account, request.region, record["DBInstanceIdentifier"]))
            record.update({"DBInstanceIdentifier": new, "DBInstanceArn": request.arn("db", new), "PendingModifiedValues": {},
                           "Endpoint": record["Endpoint"] | {"Address": state.address(request.account, new)}})
            state.INSTANCES[(request.account, request.region, new)] = record
        clusters.serve(cluster)

    # In the next maintenance window, otherwise, which does not come here.
    if request.flag("ApplyImmediately"):
        state.later(request, record, FIELD, "renaming", "available", work, state.delay() / 2)
    return {"DBInstance": record}


def reboot(request):
    """Settings of the cluster that wait for a restart are in use afterwards."""
    request.only("DBInstanceIdentifier")
    record, cluster = _the(request)
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record))])
    instances.must_be(record, "available")

    def work():
        clusters.serve(cluster)
        record["_group_status"] = "in-sync"

    state.later(request, record, FIELD, "rebooting", "available", work)
    return {"DBInstance": record}


def delete(request):
    """It goes, and what is in the cluster stays. It is listed until it is gone."""
    request.only("DBInstanceIdentifier", "SkipFinalSnapshot", "DeleteAutomatedBackups")
    record, cluster = _the(request)
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record))])
    if record[FIELD] == "deleting":
        raise Refusal(instances.BUSY, "The instance is being deleted.")

    def work():
        record["_runs"] = record["_writes"] = False
        clusters.serve(cluster)

    def gone():
        with state.LOCK:
            state.INSTANCES.pop((request.account, request.region, record["DBInstanceIdentifier"]), None)
        return "deleted"

    state.later(request, record, FIELD, "deleting", gone, work)
    return {"DBInstance": record}


def cluster_alone(request):
    """What can be asked for of a cluster as a whole only."""
    record, _ = _the(request)
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record))])
    raise Refusal("InvalidParameterValue", f"{record['DBInstanceIdentifier']} is a member of a cluster: ask for its cluster's.")


def _fits(request, cluster, name, group):
    if request.needed("Engine") != cluster["Engine"]:
        raise Refusal("InvalidParameterCombination", "The engine is not the cluster's.")
    if (request.account, request.region, name) in state.INSTANCES:
        raise Refusal(instances.EXISTS, f"{name} already exists.")
    if len(state.of(state.INSTANCES, request.account, request.region)) >= state.limit(request.account, "instances"):
        raise Refusal("InstanceQuotaExceeded", "The quota of instances is used up.")
    if not group.startswith("default.") and group not in rds._param_groups:
        raise Refusal("DBParameterGroupNotFound", f"{group} not found.", 404)
    if request.text("DBInstanceClass") == "db.serverless" and not cluster["ServerlessV2ScalingConfiguration"]:
        raise Refusal(clusters.BUSY, "The cluster has no serverless v2 scaling configuration.")
    if clusters.members(cluster):
        raise Refusal("InternalFailure", "There are no readers here.", 500)


def _the(request):
    record = instances.the(request)
    key = (request.account, request.region, record["DBClusterIdentifier"])
    return record, state.CLUSTERS[key]
