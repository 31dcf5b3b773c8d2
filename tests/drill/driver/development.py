"""The development account of the drill: its network, its stack, its settings, and the database that people use."""

import base64
import json
import os

from . import aurora, packages, postgres
from .accounts import DEVELOPMENT, PRODUCTION, REGION, client
from .machine import Machine
from .stack import Stack

SECRET = "development/shop"


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
            "Databases": "shop,till", "ParameterGroups": "dev-*",
        })
        out = self.stack.outputs
        self.workflow, self.reaper = (Machine(DEVELOPMENT, out[name]) for name in ("WorkflowArn", "ReaperArn"))
        self.bus = production.stack.outputs["RequestBusArn"]
        self.documents, self.group = out["Documents"], network["DatabaseSecurityGroup"]
        self.rds, self.passwords = client("rds", DEVELOPMENT), set()
        self.settings()

    def settings(self, **more):
        """The document of settings, as an engineer writes it."""
        target = {
            "name": "dev-shop", "engine": "postgres", "secret": SECRET, "user": "shop_app", "grace_hours": 0,
            "facts": {"class": "db.t4g.medium", "subnet_group": "dev", "security_groups": self.group,
                      "parameter_group": "dev-postgres"},
            # Applications have no rights in the other database.
            "checks": {"shop": {"tables": ["public.orders"], "canaries": [
                {"name": "masked once", "query": "SELECT count(*) FROM anonymizer.statement", "expect": "1"}]}},
        }
        settings = {"databases": {"shop": target | more, "till": aurora.target(self.group)}}
        client("s3", DEVELOPMENT).put_object(Bucket=self.documents, Key="settings.json", Body=json.dumps(settings).encode())

    def pointer(self):
        """What applications read."""
        found = client("secretsmanager", DEVELOPMENT).get_secret_value(SecretId=SECRET)
        told = json.loads(found["SecretString"])
        self.passwords.add(told["password"])
        return told

    def application(self) -> postgres.Login:
        """How an application gets in."""
        told = self.pointer()
        return postgres.Login(told["host"], told["username"], told["password"], "shop",
                              self.emulator.servers / "authority.pem")

    def database(self):
        """The one in use."""
        return self.rds.describe_db_instances(DBInstanceIdentifier="dev-shop")["DBInstances"][0]

    def master(self, name) -> postgres.Login:
        """How its master user gets in."""
        found = self.database()
        secret = client("secretsmanager", DEVELOPMENT).get_secret_value(SecretId=found["MasterUserSecret"]["SecretArn"])
        login = json.loads(secret["SecretString"])
        return postgres.Login(found["Endpoint"]["Address"], login["username"], login["password"], name,
                              self.emulator.servers / "authority.pem")

    def request(self, database, reason):
        """A developer's wish for a new release, on production's bus."""
        detail = json.dumps({"database": database, "reason": reason, "max_age_hours": 24})
        answer = client("events", DEVELOPMENT).put_events(Entries=[{
            "EventBusName": self.bus, "Source": "anonymizer.refresh", "DetailType": "RefreshRequested", "Detail": detail}])
        if answer["FailedEntryCount"]:
            raise AssertionError(answer["Entries"])

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
