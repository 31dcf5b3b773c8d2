"""What RDS answers, as it writes it: documents from plain data, and refusals with their codes."""

from xml.sax.saxutils import escape

from ministack.services import rds

# What the elements of a list are called, where it is not `member`.
ELEMENTS = {
    "TagList": "Tag",
    "DBInstances": "DBInstance",
    "DBSnapshots": "DBSnapshot",
    "DBParameterGroups": "DBParameterGroup",
    "OptionGroupMemberships": "OptionGroupMembership",
    "VpcSecurityGroups": "VpcSecurityGroupMembership",
    "DBSnapshotAttributes": "DBSnapshotAttribute",
    "AttributeValues": "AttributeValue",
    "DBInstanceAutomatedBackups": "DBInstanceAutomatedBackup",
    "AvailabilityZones": "AvailabilityZone",
    "DBClusters": "DBCluster",
    "DBClusterMembers": "DBClusterMember",
    "DBClusterSnapshots": "DBClusterSnapshot",
    "DBClusterSnapshotAttributes": "DBClusterSnapshotAttribute",
    "DBClusterAutomatedBackups": "DBClusterAutomatedBackup",
}
# More than this never stands on a page of clusters and what belongs to them: RDS may answer with fewer than it was asked for.
PAGE = 2


class Refusal(Exception):
    """A code, a message, and HTTP's status."""

    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def document(action, result):
    """What an action answers."""
    return rds._xml(200, f"{action}Response", f"<{action}Result>{_inside(result)}</{action}Result>")


def page(request, field, records):
    """A part of a list, and where the next one begins."""
    if not 20 <= request.number("MaxRecords", 100) <= 100:
        raise Refusal("InvalidParameterValue", "MaxRecords must be between 20 and 100.")
    start = request.number("Marker", 0)
    rest = start + PAGE < len(records)
    return {"Marker": str(start + PAGE) if rest else None, field: records[start:start + PAGE]}


def refuse(refusal):
    """How it is refused."""
    return rds._error(refusal.code, escape(refusal.message), refusal.status)


def _inside(record):
    return "".join(_element(name, value) for name, value in record.items() if not name.startswith("_"))


def _element(name, value):
    if value is None:
        return ""
    if isinstance(value, dict):
        inside = _inside(value)
    elif isinstance(value, (list, tuple)):
        of = ELEMENTS.get(name, "member")
        inside = "".join(_element(of, one) for one in value)
    elif isinstance(value, bool):
        inside = str(value).lower()
    else:
        inside = escape(str(value))
    return f"<{name}>{inside}</{name}>"
