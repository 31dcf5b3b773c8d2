"""The production account of the drill: its stack, its shop with two databases, its settings and rules."""

import json
import os
import secrets
import time

from . import aurora, packages, postgres
from .accounts import DEVELOPMENT, PRODUCTION, REGION, client
from .machine import Machine
from .stack import ROOT, Stack

SCENARIO = ROOT / "tests" / "scenarios" / "server"
DATABASES = ("billing", "shop")


class Production:
    """Deployed, with a database and a snapshot of it."""

    def __init__(self, emulator):
        self.emulator = emulator
        bucket = "artifacts-production"
        packages.upload(PRODUCTION, bucket, "orchestrator", os.environ["DRILL_PRODUCTION"])
        self.key = self._key_of_databases()
        development_bus = f"arn:aws:events:{REGION}:{DEVELOPMENT}:event-bus/anonymizer"
        self.stack = Stack(PRODUCTION, "anonymizer", "production.yaml", bucket, {
            "ArtifactBucket": bucket, "ArtifactPrefix": packages.PREFIX, "ImageUri": packages.IMAGE,
            "DevelopmentAccounts": DEVELOPMENT, "SourceKeys": self.key, "PostgresFamily": "postgres15",
            "AuroraPostgresFamily": aurora.family(),
            "DatabaseCaFile": str(emulator.servers / "authority.pem"), "S3PrefixListId": _prefix_list(),
            "DevelopmentBusArn": development_bus,
            "PreviewAnalyzer": f"arn:aws:access-analyzer:{REGION}:{PRODUCTION}:analyzer/of-the-account",
        })
        out = self.stack.outputs
        self.documents, self.evidence = out["DocumentsBucket"], out["EvidenceBucket"]
        self.workflow, self.fleet, self.reaper = (
            Machine(PRODUCTION, out[name]) for name in ("WorkflowArn", "FleetArn", "ReaperArn"))
        # Runs whose releases are to be there.
        self.released = set()
        self.rds = client("rds", PRODUCTION)
        self.passwords = {"shop_master": secrets.token_hex(16)}
        self._database()
        self.settings()
        self.rules()

    def settings(self, **more):
        """The document of settings, as an engineer writes it."""
        settings = {"databases": {"shop": {"source": "shop-production", "max_age_hours": 48, "isolation": {
            "class": "db.t4g.medium", "parameter_group": self.stack.outputs["PostgresGroupName"]}},
            "till": aurora.source(self.stack.outputs)}} | more
        self.put("settings.json", json.dumps(settings))

    def rules(self):
        """The rules of each database of the server."""
        for name in DATABASES:
            self.put(f"rules/shop/{name}.yaml", (SCENARIO / f"{name}.yaml").read_text())

    def put(self, key, text):
        """A document beside the settings."""
        client("s3", PRODUCTION).put_object(Bucket=self.documents, Key=key, Body=text.encode())

    def snapshot(self, name):
        """A snapshot of the shop, as the platform takes one every night."""
        self.rds.create_db_snapshot(DBInstanceIdentifier="shop-production", DBSnapshotIdentifier=name)
        _until(lambda: self.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"])

    def login(self, database="shop"):
        """How its master user gets in."""
        found = self.rds.describe_db_instances(DBInstanceIdentifier="shop-production")["DBInstances"][0]
        return postgres.Login(found["Endpoint"]["Address"], "shop_master", self.passwords["shop_master"], database,
                              self.emulator.servers / "authority.pem")

    def _key_of_databases(self):
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{PRODUCTION}:root"}, "Action": "kms:*", "Resource": "*"}]}
        made = client("kms", PRODUCTION).create_key(Policy=json.dumps(policy))
        return made["KeyMetadata"]["Arn"]

    def _database(self):
        self.rds.create_db_instance(
            DBInstanceIdentifier="shop-production", Engine="postgres", DBInstanceClass="db.r6g.large", AllocatedStorage=100,
            MasterUsername="shop_master", MasterUserPassword=self.passwords["shop_master"], DBName="shop",
            StorageEncrypted=True, KmsKeyId=self.key, Tags=[{"Key": "team", "Value": "web"}])
        find = lambda: self.rds.describe_db_instances(DBInstanceIdentifier="shop-production")["DBInstances"][0]
        _until(lambda: find()["DBInstanceStatus"])
        self.login("postgres").ask("CREATE DATABASE billing")
        for name in DATABASES:
            self.login(name).script(SCENARIO / f"{name}.sql")


def _prefix_list():
    named = {"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}
    return client("ec2", PRODUCTION).describe_managed_prefix_lists(Filters=[named])["PrefixLists"][0]["PrefixListId"]


def _until(status, wanted="available", seconds=60):
    end = time.monotonic() + seconds
    while (found := status()) != wanted:
        if found == "failed" or time.monotonic() > end:
            raise SystemExit(f"production's database or snapshot is {found}")
        time.sleep(0.1)
