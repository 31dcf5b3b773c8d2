"""A stack from one of our templates, and the facts that it tells."""

import time
from pathlib import Path

from .accounts import client

ROOT = Path(__file__).resolve().parents[3]
DONE = ("CREATE_COMPLETE", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")


class Stack:
    """One that is deployed."""

    def __init__(self, account, name, template, bucket, parameters):
        self.account, self.name, self.api = account, name, client("cloudformation", account)
        key = f"{name}.yaml"
        client("s3", account).put_object(Bucket=bucket, Key=key, Body=(ROOT / "infra" / template).read_bytes())
        self.api.create_stack(
            StackName=name, TemplateURL=f"https://s3.eu-west-1.amazonaws.com/{bucket}/{key}",
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()])
        end = time.monotonic() + 120
        while (found := self.describe())["StackStatus"] not in DONE and time.monotonic() < end:
            time.sleep(0.2)
        if found["StackStatus"] != "CREATE_COMPLETE":
            events = self.api.describe_stack_events(StackName=name)["StackEvents"]
            why = [f"{one['LogicalResourceId']} ({one['ResourceType']}): {one.get('ResourceStatusReason')}"
                   for one in events if one["ResourceStatus"].endswith("FAILED")]
            raise SystemExit(f"the stack {name} is {found['StackStatus']}: " + "; ".join(why))
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        resources = self.api.describe_stack_resources(StackName=name)["StackResources"]
        self.resources = {one["LogicalResourceId"]: one for one in resources}

    def describe(self):
        """What CloudFormation says of it."""
        return self.api.describe_stacks(StackName=self.name)["Stacks"][0]

    def id(self, logical):
        """What a resource is called in its account."""
        return self.resources[logical]["PhysicalResourceId"]

    def of_type(self, kind):
        """Names of the resources of a type, by their names in the template."""
        return {name: one["PhysicalResourceId"] for name, one in self.resources.items() if one["ResourceType"] == kind}
