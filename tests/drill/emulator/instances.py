"""Database instances as RDS has them: created, restored, listed, deleted, each taking its time.

PostgreSQL alone, and single instances alone. What it refuses is what RDS refuses as far as the product can come to it.
"""

import secrets
import uuid

from ministack.services import rds

from . import keys, passwords, rights, servers, state
from .answer import Refusal

MISSING, EXISTS, BUSY = "DBInstanceNotFound", "DBInstanceAlreadyExists", "InvalidDBInstanceState"


def create(request):
    """A new one, with a server of its own."""
    name = request.needed("DBInstanceIdentifier").lower()
    rights.require(request, [(request.arn("db", name), {})])
    record = _new(request, name, {
        "Engine": "postgres", "EngineVersion": servers.version(), "MasterUsername": request.needed("MasterUsername"),
        "AllocatedStorage": request.number("AllocatedStorage", 20), "StorageEncrypted": request.flag("StorageEncrypted"),
        "KmsKeyId": _key(request), "DBName": request.text("DBName"),
        "BackupRetentionPeriod": request.number("BackupRetentionPeriod", 1),
    })
    if record["KmsKeyId"]:
        rights.use_key(request, record["KmsKeyId"])
    record["TagList"] = state.tag_list(request.tags())
    password = request.needed("MasterUserPassword")
    names = [record["DBName"]] if record["DBName"] else []

    def work():
        address = record["Endpoint"]["Address"]
        servers.create(record["_data"], address, record["MasterUsername"], password, names)

    state.later(request, record, "DBInstanceStatus", "creating", "available", work)
    return {"DBInstance": record}


def _key(request):
    wanted = request.text("KmsKeyId")
    return keys.of_rds(request.account, request.region) if not wanted and request.flag("StorageEncrypted") else wanted


def restore(request):
    """One from a snapshot of the caller's own. What is not asked for is the source's, or the account's default."""
    name = request.needed("DBInstanceIdentifier").lower()
    snapshot_name = request.needed("DBSnapshotIdentifier")
    if snapshot_name.startswith("arn:") and snapshot_name.split(":")[4] != request.account:
        raise Refusal("InvalidParameterValue", "A shared, encrypted snapshot is copied before it is restored.")
    snapshot = state.find(state.SNAPSHOTS, request.account, request.region, snapshot_name, "DBSnapshotNotFound")
    resources = [(request.arn("db", name), {}), (snapshot["DBSnapshotArn"], state.tag_map(snapshot))]
    for kind, parameter in (("subgrp", "DBSubnetGroupName"), ("pg", "DBParameterGroupName"), ("og", "OptionGroupName")):
        if request.text(parameter):
            resources.append((request.arn(kind, request.text(parameter)), {}))
    rights.require(request, resources)
    if request.tags():
        rights.require(request, [(request.arn("db", name), {})], "rds:AddTagsToResource")
    if snapshot["Status"] != "available":
        raise Refusal("InvalidDBSnapshotState", f"The snapshot is {snapshot['Status']}.")
    if snapshot["KmsKeyId"]:
        rights.use_key(request, snapshot["KmsKeyId"])
    record = _new(request, name, {
        "Engine": snapshot["Engine"], "EngineVersion": snapshot["EngineVersion"],
        "MasterUsername": snapshot["MasterUsername"], "AllocatedStorage": snapshot["AllocatedStorage"],
        "StorageEncrypted": snapshot["Encrypted"], "KmsKeyId": snapshot["KmsKeyId"], "DBName": snapshot.get("DBName"),
        "BackupRetentionPeriod": request.number("BackupRetentionPeriod", 7),
    })
    # The source's tags come along where none are given.
    given = request.tags()
    record["TagList"] = state.tag_list(given if given is not None else snapshot["_source_tags"])

    def work():
        servers.copy(snapshot["_data"], record["_data"])
        servers.start(record["_data"], record["Endpoint"]["Address"])

    state.later(request, record, "DBInstanceStatus", "creating", "available", work)
    return {"DBInstance": record}


def describe(request):
    """All of them, or one by its name."""
    name = request.text("DBInstanceIdentifier")
    rights.require(request, [(request.arn("db", name or "*"), {})])
    found = state.of(state.INSTANCES, request.account, request.region)
    if name:
        found = [state.find(state.INSTANCES, request.account, request.region, name, MISSING)]
    for key, values in request.filters().items():
        field = {"dbi-resource-id": "DbiResourceId", "db-instance-id": "DBInstanceIdentifier",
                 "db-cluster-id": "DBClusterIdentifier"}[key]
        found = [one for one in found if one.get(field) in values]
    return {"DBInstances": state.looked(request, found)}


def delete(request):
    """Deletes it, with its password's secret and its automatic backups. It is listed until it is gone."""
    record = the(request)
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record))])
    if record["DBInstanceStatus"] == "deleting":
        raise Refusal(BUSY, "The instance is being deleted.")
    if record["DeletionProtection"]:
        raise Refusal("InvalidParameterCombination", "Cannot delete protected DB Instance.")
    if not request.flag("SkipFinalSnapshot"):
        raise Refusal("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required.")

    def work():
        servers.remove(record["_data"])
        passwords.drop(request, record)

    def gone():
        with state.LOCK:
            state.INSTANCES.pop((request.account, request.region, record["DBInstanceIdentifier"]), None)
            if request.flag("DeleteAutomatedBackups", True):
                state.BACKUPS.pop(record["DbiResourceId"], None)
        return "deleted"

    state.later(request, record, "DBInstanceStatus", "deleting", gone, work)
    return {"DBInstance": record}


def backups(request):
    """Automatic backups, also of what is gone."""
    rights.require(request, [(request.arn("auto-backup", "*"), {})])
    identifier = request.text("DbiResourceId")
    found = [one for one in state.BACKUPS.values() if one["_account"] == request.account]
    return {"DBInstanceAutomatedBackups": [one for one in found if identifier in (None, one["DbiResourceId"])]}


def delete_backup(request):
    """Deletes what outlived its instance."""
    rights.require(request, [(request.arn("auto-backup", "*"), {})])
    found = state.BACKUPS.pop(request.needed("DbiResourceId"), None)
    if not found:
        raise Refusal("DBInstanceAutomatedBackupNotFound", "There is none.", 404)
    return {"DBInstanceAutomatedBackup": found}


def _new(request, name, facts):
    account, region = request.account, request.region
    if (account, region, name) in state.INSTANCES:
        raise Refusal(EXISTS, f"{name} already exists.")
    if len(state.of(state.INSTANCES, account, region)) >= state.limit(account, "instances"):
        raise Refusal("InstanceQuotaExceeded", "The quota of instances is used up.")
    subnets, group = request.text("DBSubnetGroupName", "default"), request.text("DBParameterGroupName")
    if subnets != "default" and subnets not in rds._subnet_groups:
        raise Refusal("DBSubnetGroupNotFoundFault", f"{subnets} not found.", 404)
    if group and group not in rds._param_groups:
        raise Refusal("DBParameterGroupNotFound", f"{group} not found.", 404)
    groups = request.list("VpcSecurityGroupIds") or ["sg-default"]
    record = facts | {
        "DBInstanceIdentifier": name, "DBInstanceArn": request.arn("db", name),
        "DbiResourceId": "db-" + secrets.token_hex(13).upper(), "DBInstanceStatus": "creating",
        "DBInstanceClass": request.text("DBInstanceClass", "db.t4g.micro"), "InstanceCreateTime": state.moment(),
        "Endpoint": {"Address": state.address(account, name), "Port": servers.PORT},
        "DBSubnetGroup": {"DBSubnetGroupName": subnets},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": one, "Status": "active"} for one in groups],
        # Groups of one's own are in use after a restart.
        "DBParameterGroups": [{"DBParameterGroupName": group or "default.postgres",
                               "ParameterApplyStatus": "pending-reboot" if group else "in-sync"}],
        "OptionGroupMemberships": [{"OptionGroupName": request.text("OptionGroupName", "default:postgres"),
                                    "Status": "in-sync"}],
        "PendingModifiedValues": {}, "MultiAZ": request.flag("MultiAZ"),
        "PubliclyAccessible": request.flag("PubliclyAccessible"),
        "AutoMinorVersionUpgrade": request.flag("AutoMinorVersionUpgrade", True),
        "StorageType": request.text("StorageType", "gp2"), "DeletionProtection": request.flag("DeletionProtection"),
        "CopyTagsToSnapshot": request.flag("CopyTagsToSnapshot"),
        "IAMDatabaseAuthenticationEnabled": request.flag("EnableIAMDatabaseAuthentication"),
        "CACertificateIdentifier": request.text("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        "MonitoringInterval": 0, "PerformanceInsightsEnabled": False,
        "PreferredBackupWindow": request.text("PreferredBackupWindow", "03:00-04:00"),
        "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
        "EnabledCloudwatchLogsExports": request.list("EnableCloudwatchLogsExports") or [],
        "TagList": [], "_data": servers.root() / account / uuid.uuid4().hex / "data", "_account": account,
    }
    with state.LOCK:
        state.INSTANCES[(account, region, name)] = record
    keep_backups(record)
    return record


def keep_backups(record):
    if record["BackupRetentionPeriod"] == 0:
        state.BACKUPS.pop(record["DbiResourceId"], None)
        return
    state.BACKUPS[record["DbiResourceId"]] = {
        "DbiResourceId": record["DbiResourceId"], "DBInstanceIdentifier": record["DBInstanceIdentifier"],
        "DBInstanceAutomatedBackupsArn": record["DBInstanceArn"].replace(":db:", ":auto-backup:ab-"),
        "_account": record["_account"],
    }


def the(request):
    return state.find(state.INSTANCES, request.account, request.region, request.needed("DBInstanceIdentifier"), MISSING)


def must_be(record, status):
    if record["DBInstanceStatus"] != status:
        raise Refusal(BUSY, f"The instance is {record['DBInstanceStatus']} and must be {status}.")
