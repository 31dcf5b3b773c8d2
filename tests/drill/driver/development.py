"""The development account of the drill: its network, its stack, its settings, and the database that people use."""

import base64
import json
import os
import time

from . import aurora, packages, postgres
from .accounts import DEVELOPMENT, PRODUCTION, REGION, client, pages
from .looks import ensure
from .machine import Machine
from .stack import Stack

# How a new database takes the old one's place: by the name, or by the secret alone.
SWAPS = {"shop": "rename", "books": "pointer"}


class Development:
    """Deployed after production, whose outputs it is told."""

    def __init__(self, emulator, production):
        self.emulator = emulator
        bucket = "artifacts-development"
        packages.upload(DEVELOPMENT, bucket, "receiver", os.environ["DRILL_DEVELOPMENT"],
                        {"rds-ca.pem": (emulator.servers / "authority.pem").read_bytes()})
        network = self._network()
        out = production.stack.outputs
        self.stack = Stack(DEVELOPMENT, "anonymizer", "development.yaml", bucket, network | {
            "ArtifactBucket": bucket, "ArtifactPrefix": packages.PREFIX, "ProductionAccount": PRODUCTION,
            "ShareKeyArn": out["ShareKeyArn"], "EvidenceBucket": out["EvidenceBucket"],
            "RequestBusArn": out["RequestBusArn"], "PublicKeys": _public_key(out["SignKeyArn"]),
            "Databases": ",".join([*SWAPS, "till"]), "ParameterGroups": "dev-*",
        })
        out = self.stack.outputs
        self.workflow, self.fleet, self.reaper = (
            Machine(DEVELOPMENT, out[name]) for name in ("WorkflowArn", "FleetArn", "ReaperArn"))
        # Servers of which there is a database here.
        self.arrived = set()
        self.bus = production.stack.outputs["RequestBusArn"]
        self.documents, self.group = out["Documents"], network["DatabaseSecurityGroup"]
        self.rds, self.passwords = client("rds", DEVELOPMENT), set()
        self.settings()

    def settings(self):
        """The document of settings, as an engineer writes it."""
        marker = {"name": "masked once", "query": "SELECT count(*) FROM anonymizer.statement", "expect": "1"}
        target = lambda server, table: {
            "name": f"dev-{server}", "engine": "postgres", "secret": f"development/{server}", "user": f"{server}_app",
            "swap": SWAPS[server], "grace_hours": 0,
            "facts": {"class": "db.t4g.medium", "subnet_group": "dev", "security_groups": self.group,
                      "parameter_group": "dev-postgres", "port": "5432"},
            # Of the shop, applications have no rights in the other database.
            "checks": {server: {"tables": [table], "canaries": [marker]}},
        }
        patience = {what: 100_000 for what in ("copy", "restore", "change", "delete")}
        databases = {"shop": target("shop", "public.orders"), "books": target("books", "public.readers"),
                     "till": aurora.target(self.group)}
        settings = {"deadlines": patience, "databases": databases}
        client("s3", DEVELOPMENT).put_object(Bucket=self.documents, Key="settings.json", Body=json.dumps(settings).encode())

    def pointer(self, server="shop"):
        """What applications read."""
        found = client("secretsmanager", DEVELOPMENT).get_secret_value(SecretId=f"development/{server}")
        told = json.loads(found["SecretString"])
        self.passwords.add(told["password"])
        return told

    def application(self, server="shop") -> postgres.Login:
        """How an application gets in."""
        told = self.pointer(server)
        return postgres.Login(told["host"], told["username"], told["password"], server,
                              self.emulator.servers / "authority.pem")

    def database(self, server="shop"):
        """The one in use."""
        if SWAPS[server] == "rename":
            field, wanted = "DBInstanceIdentifier", f"dev-{server}"
        else:
            field, wanted = "DbiResourceId", self.pointer(server)["resource_id"]
        every = pages("rds", DEVELOPMENT, "describe_db_instances", "DBInstances")
        found = [one for one in every if one[field] == wanted]
        ensure(found, f"there is no {wanted}")
        return found[0]

    def master(self, name, server="shop") -> postgres.Login:
        """How its master user gets in."""
        found = self.database(server)
        secret = client("secretsmanager", DEVELOPMENT).get_secret_value(SecretId=found["MasterUserSecret"]["SecretArn"])
        login = json.loads(secret["SecretString"])
        return postgres.Login(found["Endpoint"]["Address"], login["username"], login["password"], name,
                              self.emulator.servers / "authority.pem")

    def stop(self):
        """Stops the shop, as people do for a weekend."""
        self.rds.stop_db_instance(DBInstanceIdentifier="dev-shop")
        end = time.monotonic() + 30
        while self.database()["DBInstanceStatus"] != "stopped" and time.monotonic() < end:
            time.sleep(0.1)

    def request(self, database, reason):
        """A developer's wish for a new release, on production's bus: with what it is refused there, if it is."""
        detail = json.dumps({"database": database, "reason": reason, "max_age_hours": 24})
        answer = client("events", DEVELOPMENT).put_events(Entries=[{
            "EventBusName": self.bus, "Source": "anonymizer.refresh", "DetailType": "RefreshRequested", "Detail": detail}])
        return [one["ErrorCode"] for one in answer["Entries"] if "ErrorCode" in one]

    def _network(self):
        ec2, rds = client("ec2", DEVELOPMENT), client("rds", DEVELOPMENT)
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        make = lambda number, zone: ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
        subnets = [make(1, "a"), make(2, "b")]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        for subnet in subnets:
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        group = ec2.create_security_group(GroupName="databases", Description="databases", VpcId=vpc)["GroupId"]
        rds.create_db_subnet_group(DBSubnetGroupName="dev", DBSubnetGroupDescription="dev", SubnetIds=subnets)
        rds.create_db_parameter_group(DBParameterGroupName="dev-postgres", DBParameterGroupFamily="postgres15",
                                      Description="dev")
        aurora.make_group()
        return {"VpcId": vpc, "SubnetIds": ",".join(subnets), "DatabaseSecurityGroup": group, "SubnetGroup": "dev",
                "RouteTables": table}


def _public_key(arn):
    der = client("kms", PRODUCTION).get_public_key(KeyId=arn)["PublicKey"]
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----\n"
