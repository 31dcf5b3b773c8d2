"""Changes to an instance that is there: its password, its name, a restart, a stop. What is asked for in one request is done in
some seconds, during which the instance says at first that it is available still.
"""

from . import passwords, rights, servers, state
from .answer import Refusal
from .instances import EXISTS, keep_backups, must_be, the


def modify(request):
    """What is asked for and nothing else; a new name is a restart. It says `available` for a while still."""
    record = the(request)
    resources = [(record["DBInstanceArn"], state.tag_map(record))]
    new = (request.text("NewDBInstanceIdentifier") or "").lower()
    if new:
        resources.append((request.arn("db", new), {}))
    rights.require(request, resources)
    must_be(record, "available")
    if new and (request.account, request.region, new) in state.INSTANCES:
        raise Refusal(EXISTS, f"{new} already exists.")
    for name in ("DeletionProtection", "MonitoringInterval", "PreferredMaintenanceWindow", "DatabaseInsightsMode"):
        if request.text(name) is not None:
            value = request.text(name)
            record[name] = value == "true" if value in ("true", "false") else value
    record["BackupRetentionPeriod"] = request.number("BackupRetentionPeriod", record["BackupRetentionPeriod"])
    keep_backups(record)
    managed = request.flag("ManageMasterUserPassword")
    if managed and record.get("MasterUserSecret"):
        raise Refusal("InvalidParameterCombination", "RDS keeps the password of this instance already.")
    if managed:
        key = request.needed("MasterUserSecretKmsKeyId")
        rights.use_key(request, key)
        secret = passwords.new(record)
        # RDS makes it in the name of whoever asks.
        rights.require(request, [(secret, {})], "secretsmanager:CreateSecret")
        passwords.announce(record, secret, key)
        work = lambda: passwords.take(request, record)
        state.later(request, record, "DBInstanceStatus", "resetting-master-credentials", "available", work, state.delay() / 2)
    if new:
        record["PendingModifiedValues"] = {"DBInstanceIdentifier": new}
        state.later(request, record, "DBInstanceStatus", "renaming", "available", lambda: _rename(request, record, new),
                    state.delay() / 2)
    return {"DBInstance": record}


def reboot(request):
    """Settings that wait for a restart are in use afterwards."""
    record = the(request)
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record))])
    must_be(record, "available")

    def work():
        servers.stop(record["_data"])
        servers.start(record["_data"], record["Endpoint"]["Address"])
        for group in record["DBParameterGroups"]:
            group["ParameterApplyStatus"] = "in-sync"

    state.later(request, record, "DBInstanceStatus", "rebooting", "available", work)
    return {"DBInstance": record}


def stop(request):
    """Stops it."""
    record = the(request)
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record))])
    must_be(record, "available")
    state.later(request, record, "DBInstanceStatus", "stopping", "stopped", lambda: servers.stop(record["_data"]))
    return {"DBInstance": record}


def start(request):
    """Starts one that is stopped."""
    record = the(request)
    rights.require(request, [(record["DBInstanceArn"], state.tag_map(record))])
    must_be(record, "stopped")
    work = lambda: servers.start(record["_data"], record["Endpoint"]["Address"])
    state.later(request, record, "DBInstanceStatus", "starting", "available", work)
    return {"DBInstance": record}


def _rename(request, record, new):
    servers.stop(record["_data"])
    with state.LOCK:
        state.INSTANCES.pop((request.account, request.region, record["DBInstanceIdentifier"]))
        record |= {"DBInstanceIdentifier": new, "DBInstanceArn": request.arn("db", new), "PendingModifiedValues": {},
                   "Endpoint": {"Address": state.address(request.account, new), "Port": servers.PORT}}
        state.INSTANCES[(request.account, request.region, new)] = record
    servers.start(record["_data"], record["Endpoint"]["Address"])
