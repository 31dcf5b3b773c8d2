"""What is said of the till, a cluster, in the settings of both accounts."""

from emulator import servers

from .accounts import DEVELOPMENT, client

SOURCE, SECRET, GROUP = "till-production", "development/till", "dev-aurora"
# Serverless in both accounts; production's own is not.
CLASS = {"class": "db.serverless", "serverless_min": "0.5", "serverless_max": "4"}


def family():
    """Of parameter groups."""
    return f"aurora-postgresql{servers.version().split('.')[0]}"


def source(outputs):
    """What production's settings say of it."""
    return {"source": SOURCE, "max_age_hours": 48,
            "isolation": CLASS | {"parameter_group": outputs["AuroraPostgresGroupName"]}}


def target(group):
    """What development's settings say of it."""
    return {"name": "dev-till", "engine": "aurora-postgresql", "secret": SECRET, "user": "till_app", "grace_hours": 0,
            "protect": True, "keep": 1,
            "facts": CLASS | {"subnet_group": "dev", "security_groups": group, "parameter_group": GROUP},
            "checks": {"till": {"tables": ["public.receipts"]}}}


def make_group():
    """Development's parameter group for clusters."""
    client("rds", DEVELOPMENT).create_db_cluster_parameter_group(
        DBClusterParameterGroupName=GROUP, DBParameterGroupFamily=family(), Description="dev")
