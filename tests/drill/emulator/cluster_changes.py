"""Changes to a cluster that is there: its password, its name, its protection, its windows, a stop. What is asked for in one
request is done in some seconds, during which the cluster says at first that it is available still.
"""

import datetime

from . import cluster_snapshots, clusters, passwords, rights, state
from .answer import Refusal

KNOWN = ("DBClusterIdentifier", "NewDBClusterIdentifier", "ApplyImmediately", "ManageMasterUserPassword",
         "MasterUserSecretKmsKeyId", "PreferredMaintenanceWindow", "PreferredBackupWindow", "DeletionProtection")


def modify(request):
    """What is asked for and nothing else."""
    request.only(*KNOWN)
    record = clusters.the(request)
    resources = [(record["DBClusterArn"], state.tag_map(record))]
    new = request.text("NewDBClusterIdentifier")
    if new:
        new = clusters.named(new)
        resources.append((request.arn("cluster", new), {}))
    rights.require(request, resources)
    clusters.must_be(record, "available")
    if record.get("PendingModifiedValues"):
        raise Refusal(clusters.BUSY, "The cluster is being changed.")
    now = request.flag("ApplyImmediately")
    if new and (request.account, request.region, new) in state.CLUSTERS:
        raise Refusal(clusters.EXISTS, f"{new} already exists.")
    if request.flag("ManageMasterUserPassword"):
        _manage(request, record, now)
    if request.text("DeletionProtection"):
        record["DeletionProtection"] = request.flag("DeletionProtection")
    record["PreferredMaintenanceWindow"] = request.text("PreferredMaintenanceWindow", record["PreferredMaintenanceWindow"])
    if request.text("PreferredBackupWindow"):
        record["PreferredBackupWindow"] = request.text("PreferredBackupWindow")
        if _is_now(record["PreferredBackupWindow"]):
            cluster_snapshots.at_night(request, record)
    if new:
        _members_rest(record)
        record["PendingModifiedValues"] = {"DBClusterIdentifier": new}
        if now:
            _later(request, record, "renaming", lambda: _rename(request, record, new))
    return {"DBCluster": clusters.said(record)}


def stop(request):
    """Stops it, with its instances."""
    return _turn(request, "available", "stopping", "stopped", False)


def start(request):
    """Starts one that is stopped."""
    return _turn(request, "stopped", "starting", "available", True)


def _turn(request, was, during, after, runs):
    request.only("DBClusterIdentifier")
    record = clusters.the(request)
    rights.require(request, [(record["DBClusterArn"], state.tag_map(record))])
    clusters.must_be(record, was)

    def work():
        for member in clusters.members(record):
            member["_runs"] = runs
        clusters.serve(record)
        for member in clusters.members(record):
            member["DBInstanceStatus"] = after

    for member in clusters.members(record):
        member["DBInstanceStatus"] = during
    state.later(request, record, "Status", during, after, work)
    return {"DBCluster": clusters.said(record)}


def _manage(request, record, now):
    if record.get("MasterUserSecret"):
        raise Refusal("InvalidParameterCombination", "RDS keeps the password of this cluster already.")
    _members_rest(record)
    if not clusters.members(record):
        raise Refusal(clusters.BUSY, "The cluster has no instance.")
    key = request.needed("MasterUserSecretKmsKeyId")
    rights.use_key(request, key)
    secret = passwords.new(record)
    # RDS makes it in the name of whoever asks, and marks it with what it is of.
    for action in ("secretsmanager:CreateSecret", "secretsmanager:TagResource"):
        rights.require(request, [(secret, {})], action)
    passwords.announce(record, secret, key)
    if now:
        _later(request, record, "resetting-master-credentials", lambda: passwords.take(request, record))


def _members_rest(record):
    for member in clusters.members(record):
        # Also while it says `available` still: nobody knows how patient RDS is here, and whoever asks again is answered.
        if member["DBInstanceStatus"] != "available" or member["PendingModifiedValues"]:
            raise Refusal("InvalidDBInstanceState", f"An instance of the cluster is {member['DBInstanceStatus']}.")


def _later(request, record, during, work):
    def done():
        work()
        # Nothing at all is said where nothing is pending.
        record.pop("PendingModifiedValues", None)

    state.later(request, record, "Status", during, "available", done, state.delay() / 2)


def _rename(request, record, new):
    with state.LOCK:
        known = clusters.members(record)
        state.CLUSTERS.pop((request.account, request.region, record["DBClusterIdentifier"]))
        for member in known:
            member["DBClusterIdentifier"] = new
        record.update(clusters.places(request.account, new))
        record.update({"DBClusterIdentifier": new, "DBClusterArn": request.arn("cluster", new)})
        state.CLUSTERS[(request.account, request.region, new)] = record
    clusters.serve(record)


def _is_now(window):
    moment = datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M")
    begin, end = window.split("-")
    return begin <= moment < end if begin <= end else moment >= begin or moment < end
