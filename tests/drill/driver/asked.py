"""What roles may do and were never looked at for: a permission that nobody needs, or a call that the emulator does not make."""

import os
from pathlib import Path

from .accounts import DEVELOPMENT, PRODUCTION, pages
from .rights import documents


def tell(emulator):
    """How many permissions were asked for; the others stand in a file beside the build products."""
    asked = {tuple(line.split()) for line in (emulator.servers / "asked").read_text().splitlines()}
    given = {(account, role["RoleName"], action)
             for account in (PRODUCTION, DEVELOPMENT) for role in pages("iam", account, "list_roles", "Roles")
             for action in _allowed(account, role["RoleName"])}
    listing = Path(os.environ["DRILL_PRODUCTION"]).parents[1] / "drill" / "never-asked-for"
    listing.write_text("".join(" ".join(one) + "\n" for one in sorted(given - asked)))
    roles = len({one[:2] for one in given})
    return f"{len(given & asked)} of {len(given)} permissions of {roles} roles were asked for; the others: {listing}"


def _allowed(account, role):
    for document in documents(account, role).values():
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                yield from [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
