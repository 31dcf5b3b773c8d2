"""A stack from one of our templates, and the facts that it tells."""

import time
from contextlib import contextmanager
from pathlib import Path

from .accounts import client

ROOT = Path(__file__).resolve().parents[3]
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


class Stack:
    """One that is deployed."""

    def __init__(self, account, name, template, bucket, parameters):
        self.account, self.name, self.api = account, name, client("cloudformation", account)
        key = f"{name}.yaml"
        client("s3", account).put_object(Bucket=bucket, Key=key, Body=(ROOT / "infra" / template).read_bytes())
        self.api.create_stack(
            StackName=name, TemplateURL=f"https://s3.eu-west-1.amazonaws.com/{bucket}/{key}",
            Capabilities=CAPABILITIES,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()])
        found = self._done("CREATE_COMPLETE")
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        resources = self.api.describe_stack_resources(StackName=name)["StackResources"]
        self.resources = {one["LogicalResourceId"]: one for one in resources}

    @contextmanager
    def changed(self, **parameters):
        """Updated with other parameters, and with those from before again at the end."""
        was = {one["ParameterKey"]: one["ParameterValue"] for one in self.describe()["Parameters"]}
        self._update(was | parameters)
        try:
            yield
        finally:
            self._update(was)

    def _update(self, parameters):
        self.api.update_stack(
            StackName=self.name, UsePreviousTemplate=True, Capabilities=CAPABILITIES,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()])
        self._done("UPDATE_COMPLETE")

    def _done(self, wanted):
        end = time.monotonic() + 120
        while (found := self.describe())["StackStatus"].endswith("_IN_PROGRESS") and time.monotonic() < end:
            time.sleep(0.1)
        if found["StackStatus"] != wanted:
            events = self.api.describe_stack_events(StackName=self.name)["StackEvents"]
            why = [f"{one['LogicalResourceId']} ({one['ResourceType']}): {one.get('ResourceStatusReason')}"
                   for one in events if one["ResourceStatus"].endswith("FAILED")]
            raise SystemExit(f"the stack {self.name} is {found['StackStatus']}: " + "; ".join(why))
        return found

    def describe(self):
        """What CloudFormation says of it."""
        return self.api.describe_stacks(StackName=self.name)["Stacks"][0]

    def id(self, logical):
        """What a resource is called in its account."""
        return self.resources[logical]["PhysicalResourceId"]

    def of_type(self, kind):
        """Names of the resources of a type, by their names in the template."""
        return {name: one["PhysicalResourceId"] for name, one in self.resources.items() if one["ResourceType"] == kind}
