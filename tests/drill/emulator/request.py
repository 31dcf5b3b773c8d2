"""A request to RDS: its parameters, and on whose behalf it is made."""

import contextvars
import re

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region

from .answer import Refusal

# The access key that the request is signed with.
CALLER = contextvars.ContextVar("drill_caller", default="")


class Request:
    """Parameters by name, as the Query protocol writes them."""

    def __init__(self, action, parameters):
        self.action = action
        self.account, self.region = get_account_id(), get_region()
        first = lambda value: value[0] if isinstance(value, list) else value
        self.parameters = {name: first(value) for name, value in parameters.items()}

    def caller(self):
        """Who asks."""
        return CALLER.get()

    def by_role(self):
        """Somebody with limited rights asks, and not the account itself."""
        found = iam_evaluator.resolve_principal(CALLER.get(), self.account)
        return getattr(found, "policies", None) is not None

    def text(self, name, otherwise=None):
        """One parameter."""
        return self.parameters.get(name, otherwise)

    def needed(self, name):
        """One that must be there."""
        if not self.parameters.get(name):
            raise Refusal("MissingParameter", f"The request must contain the parameter {name}.")
        return self.parameters[name]

    def only(self, *names):
        """None but these may be given: whatever else RDS knows does not belong to such a request."""
        for name in self.parameters:
            base = name.split(".")[0]
            if base not in (*names, "Action", "Version"):
                raise Refusal("InvalidParameterCombination", f"{base} is not for this request.")

    def flag(self, name, otherwise=False):
        """`true` or `false`."""
        return self.parameters.get(name, str(otherwise)).lower() == "true"

    def number(self, name, otherwise=None):
        """A whole number."""
        return int(self.parameters[name]) if name in self.parameters else otherwise

    def list(self, name):
        """`Name.Element.1`, `Name.Element.2`, …; None where there is none at all."""
        found = [(int(m[1]), value) for key, value in self.parameters.items()
                 if (m := re.fullmatch(re.escape(name) + r"\.\w+\.(\d+)", key))]
        return [value for _, value in sorted(found)] if found else None

    def tags(self):
        """As a mapping; None where none were given, which is something else than an empty one."""
        keys = {m[1]: value for key, value in self.parameters.items()
                if (m := re.fullmatch(r"Tags\.\w+\.(\d+)\.Key", key))}
        if not keys:
            return None
        value = lambda number: next((value for key, value in self.parameters.items()
                                     if re.fullmatch(rf"Tags\.\w+\.{number}\.Value", key)), "")
        return {key: value(number) for number, key in keys.items()}

    def filters(self):
        """Names with the values that fit."""
        names = {m[1]: value for key, value in self.parameters.items()
                 if (m := re.fullmatch(r"Filters\.Filter\.(\d+)\.Name", key))}
        return {name: self.list(f"Filters.Filter.{number}.Values") or [] for number, name in names.items()}

    def arn(self, kind, name):
        """Of something of the caller's."""
        return f"arn:aws:rds:{self.region}:{self.account}:{kind}:{name}"
