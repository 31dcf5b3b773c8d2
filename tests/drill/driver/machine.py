"""A state machine: started, waited for, and what its history tells."""

import json
import time
from dataclasses import dataclass, field

from .accounts import client, pages

PATIENCE = 600


@dataclass
class Run:
    """An execution that has ended."""

    arn: str
    name: str
    status: str
    output: dict
    error: str
    cause: str
    entered: list = field(default_factory=list)
    history: list = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self):
        why = f" {self.error}: {_told(self.cause)}" if self.error else ""
        return f"{self.name} {self.status}{why} after {self.entered[-1] if self.entered else 'nothing'}"


class Machine:
    """One of an account's."""

    def __init__(self, account, arn):
        self.account, self.arn, self.api = account, arn, client("stepfunctions", account)
        self._given = {}

    def start(self, name, **wanted):
        """Begins an execution."""
        return self.api.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(wanted))["executionArn"]

    def wait(self, arn) -> Run:
        """Its end."""
        began = time.monotonic()
        while (found := self.api.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() - began > PATIENCE:
                raise SystemExit(f"{arn} does not end: {self.history(arn)[-3:]}")
            time.sleep(0.15)
        history = self.history(arn)
        entered = [one["stateEnteredEventDetails"]["name"] for one in history if "stateEnteredEventDetails" in one]
        return Run(arn, found["name"], found["status"], json.loads(found.get("output") or "{}"),
                   found.get("error") or "", found.get("cause") or "", entered, history, time.monotonic() - began)

    def run(self, name, **wanted) -> Run:
        """Both."""
        return self.wait(self.start(name, **wanted))

    def executions(self):
        """All there were."""
        return {one["executionArn"] for one in
                pages("stepfunctions", self.account, "list_executions", "executions", stateMachineArn=self.arn)}

    def started(self, before, database=None) -> Run:
        """The one that somebody else has started since, for a database or for none, at its end."""
        run, = self.all_started(before, database).values()
        return run

    def all_started(self, before, *databases):
        """Those for some databases that somebody else has started since, at their ends."""
        end, found = time.monotonic() + PATIENCE / 4, self.given(before)
        while missing := set(databases) - set(found):
            if time.monotonic() > end:
                raise AssertionError(f"nothing has started {self.arn} for {missing}")
            time.sleep(0.1)
            found = self.given(before)
        return {database: self.wait(found[database]) for database in databases}

    def given(self, before):
        """The databases that executions since are for, and which these are."""
        new = self.executions() - before
        for arn in new - set(self._given):
            self._given[arn] = json.loads(self.api.describe_execution(executionArn=arn)["input"]).get("database")
        return {self._given[arn]: arn for arn in new}

    def history(self, arn):
        """Every event."""
        found, token = [], {}
        while True:
            page = self.api.get_execution_history(executionArn=arn, maxResults=1000, **token)
            found += page["events"]
            if not page.get("nextToken"):
                return found
            token = {"nextToken": page["nextToken"]}

    def all_histories(self):
        """Of every execution there was."""
        arns = self.executions()
        return {arn: [self.api.describe_execution(executionArn=arn), *self.history(arn)] for arn in arns}


def _told(cause):
    try:
        return json.loads(cause).get("errorMessage", cause)
    except (ValueError, AttributeError):
        return cause
