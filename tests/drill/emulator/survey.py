"""What RDS tells those who look before a run: quotas, the options of a group, the classes that can be had."""

from ministack.services import rds

from . import actions, answer, rights, state


def install():
    """Puts them in the place of the emulator's."""
    for name, function in (("DescribeAccountAttributes", _quotas), ("DescribeOptionGroups", _options),
                           ("DescribeOrderableDBInstanceOptions", _classes)):
        rds._ACTION_MAP[name] = actions._handler(name, function)
    answer.ELEMENTS |= {"AccountQuotas": "AccountQuota", "OptionGroupsList": "OptionGroup",
                        "OrderableDBInstanceOptions": "OrderableDBInstanceOption"}


def _quotas(request):
    rights.require(request, [("*", {})])
    instances = state.of(state.INSTANCES, request.account, request.region)
    snapshots = state.of(state.SNAPSHOTS, request.account, request.region)
    quota = lambda name, used, most: {"AccountQuotaName": name, "Used": used, "Max": most}
    clusters = state.of(state.CLUSTERS, request.account, request.region)
    kept = state.of(state.CLUSTER_SNAPSHOTS, request.account, request.region)
    return {"AccountQuotas": [
        quota("DBInstances", len(instances), state.limit(request.account, "instances")),
        quota("ManualSnapshots", len(snapshots), state.limit(request.account, "snapshots")),
        quota("DBClusters", len(clusters), state.limit(request.account, "clusters")),
        quota("ManualClusterSnapshots", len(kept), state.limit(request.account, "cluster-snapshots")),
        quota("AllocatedStorage", sum(int(one.get("AllocatedStorage") or 0) for one in instances), 100_000),
    ]}


def _options(request):
    name = request.needed("OptionGroupName")
    rights.require(request, [(request.arn("og", name), {})])
    return {"OptionGroupsList": [{"OptionGroupName": name, "Options": []}]}


def _classes(request):
    rights.require(request, [("*", {})])
    return {"OrderableDBInstanceOptions": [{"Engine": request.needed("Engine"), "DBInstanceClass": request.text("DBInstanceClass")}]}
