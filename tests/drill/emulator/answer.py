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
}


class Refusal(Exception):
    """A code, a message, and HTTP's status."""

    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def document(action, result):
    """What an action answers."""
    return rds._xml(200, f"{action}Response", f"<{action}Result>{_inside(result)}</{action}Result>")


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
