"""The production account of the drill: its stack, its shop with two databases, its settings and rules."""

import json
import os
import secrets
import time
from pathlib import Path

from . import aurora, packages, postgres
from .accounts import DEVELOPMENT, PRODUCTION, REGION, client
from .machine import Machine
from .stack import ROOT, Stack
from .together import together

DRILL = Path(__file__).resolve().parents[1]
# What the servers are called in both accounts, whose source they are, and their databases. Nothing of the books is encrypted.
SOURCES = {"shop": "shop-production", "books": "books-production"}
FILES = {
    "shop": [(name, ROOT / "tests" / "scenarios" / "server") for name in ("billing", "shop")],
    "books": [("books", DRILL / "books")],
}
# Pauses are a hundredth of what they are, and a busy machine takes what it takes.
PATIENCE = {what: 100_000 for what in ("restore", "change", "take", "copy", "delete")}
# Releases of a server that stay.
KEPT = 3


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
        self.request = Machine(PRODUCTION, out["RequestArn"])
        # Releases that are to be there, and whom they are shared with.
        self.released = {}
        self.rds = client("rds", PRODUCTION)
        self.passwords = {f"{server}_master": secrets.token_hex(16) for server in SOURCES}
        together(*(lambda server=server: self._database(server) for server in SOURCES))
        self.settings()
        self.rules()

    def settings(self, **more):
        """The document of settings, as an engineer writes it."""
        servers = {server: self.server(server) for server in SOURCES} | {"till": aurora.source(self.stack.outputs)}
        self.put("settings.json", json.dumps({"databases": servers, "deadlines": PATIENCE} | more))

    def server(self, server):
        """What is said of one of them."""
        return {"source": SOURCES[server], "max_age_hours": 48, "isolation": {
            "class": "db.t4g.medium", "parameter_group": self.stack.outputs["PostgresGroupName"]}}

    def rules(self, server=None, called=None):
        """The rules of each database of the servers, or of one of them under another name."""
        for server in [server] if server else SOURCES:
            for name, folder in FILES[server]:
                self.put(f"rules/{called or server}/{name}.yaml", (folder / f"{name}.yaml").read_text())

    def release(self, database, run, account=DEVELOPMENT):
        """A run's release is to be there; the oldest of its database is not, where there are too many."""
        self.released[f"anon-share-{database}-{run}"] = account
        for name in [name for name in self.released if name.startswith(f"anon-share-{database}-")][:-KEPT]:
            del self.released[name]

    def put(self, key, text):
        """A document beside the settings."""
        client("s3", PRODUCTION).put_object(Bucket=self.documents, Key=key, Body=text.encode())

    def snapshot(self, name, server="shop", hours_ago=0):
        """A snapshot of a server, as the platform takes one every night."""
        tags = [{"Key": "drill:hours-ago", "Value": str(hours_ago)}] if hours_ago else []
        self.rds.create_db_snapshot(DBInstanceIdentifier=SOURCES[server], DBSnapshotIdentifier=name, Tags=tags)
        _until(lambda: self.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"])

    def login(self, database="shop", server=None):
        """How the master user of a database's server gets in."""
        server = server or next(one for one, files in FILES.items() if database in dict(files))
        found = self.rds.describe_db_instances(DBInstanceIdentifier=SOURCES[server])["DBInstances"][0]
        user = f"{server}_master"
        return postgres.Login(found["Endpoint"]["Address"], user, self.passwords[user], database,
                              self.emulator.servers / "authority.pem")

    def _key_of_databases(self):
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{PRODUCTION}:root"}, "Action": "kms:*", "Resource": "*"}]}
        made = client("kms", PRODUCTION).create_key(Policy=json.dumps(policy))
        return made["KeyMetadata"]["Arn"]

    def _database(self, server):
        source, files = SOURCES[server], FILES[server]
        encryption = {"StorageEncrypted": True, "KmsKeyId": self.key} if server == "shop" else {}
        self.rds.create_db_instance(
            DBInstanceIdentifier=source, Engine="postgres", DBInstanceClass="db.r6g.large", AllocatedStorage=100,
            MasterUsername=f"{server}_master", MasterUserPassword=self.passwords[f"{server}_master"], DBName=server,
            Tags=[{"Key": "team", "Value": "web"}], **encryption)
        find = lambda: self.rds.describe_db_instances(DBInstanceIdentifier=source)["DBInstances"][0]
        _until(lambda: find()["DBInstanceStatus"])
        for name, folder in files:
            if name != server:
                self.login("postgres", server).ask(f"CREATE DATABASE {name}")
            self.login(name).script(folder / f"{name}.sql")


def _prefix_list():
    named = {"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}
    return client("ec2", PRODUCTION).describe_managed_prefix_lists(Filters=[named])["PrefixLists"][0]["PrefixListId"]


def _until(status, wanted="available", seconds=60):
    end = time.monotonic() + seconds
    while (found := status()) != wanted:
        if found == "failed" or time.monotonic() > end:
            raise SystemExit(f"production's database or snapshot is {found}")
        time.sleep(0.1)
