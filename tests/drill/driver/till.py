"""Production's till, an Aurora cluster: its weeks beside those of the shop, and what must not end well for a cluster."""

import json
import secrets
import time
from pathlib import Path

from . import clusters, grep, postgres
from .accounts import DEVELOPMENT, PRODUCTION, client
from .aurora import SECRET, SOURCE
from .beside import Beside
from .looks import ensure, loops
from .rights import without

FILES = Path(__file__).resolve().parents[1] / "till"
ORIGINALS = "SELECT unnest(ARRAY[payer, email, phone, iban]) FROM receipts"


class Till:
    """What there is of it in both accounts."""

    def __init__(self, production, development):
        self.production, self.development, self.rds = production, development, production.rds
        self.released, self.known, self._work = [], set(), None

    def begin(self, work, *wanted):
        """Goes on beside whatever comes next."""
        self._work = Beside(work, *wanted)

    def end(self):
        """Waits for it."""
        self._work.end()

    def first(self):
        """Made and released; development has no room for a cluster at first, and takes it then."""
        self._make()
        self._night()
        self.production.emulator.limit(DEVELOPMENT, clusters=0)
        refused = self._released(lambda: self.production.workflow.start("till-1", database="till"))
        self._failed(refused, "Restore", "DBClusterQuotaExceeded", "")
        self.production.emulator.limit(DEVELOPMENT)
        self._take("till-has-room")
        self._arrived()
        self.login().ask(
            "INSERT INTO receipts VALUES (1000, 'Buyer1000 Atthetill', 'buyer1000@tillpost.org', '+49 30 1', 'DE1', 5)")
        self._night()
        rds = client("rds", DEVELOPMENT)
        rds.stop_db_cluster(DBClusterIdentifier="dev-till")
        _until(lambda: clusters.current()["Status"], "stopped")

    def second(self, before):
        """Released by production's fleet. Development has stopped its cluster over the weekend, and may not rename the new one: the
        old one is started and gets its name back. Then it may, and the old one goes although it is protected, instance and cluster.
        In both accounts backups outlive their clusters, as a rule of AWS Backup may have it, and are deleted nevertheless.
        """
        for account in (PRODUCTION, DEVELOPMENT):
            self.production.emulator.limit(account, **{"kept-cluster-backups": 1})
        was, place = clusters.current(), self._pointer()
        with without(DEVELOPMENT, "anonymizer-RenameNew", "rds:ModifyDBCluster"):
            refused = self._released(lambda: None, before)
        ensure("StartCurrent" in refused.entered, "the stopped cluster was not started")
        self._failed(refused, "RenameNew", "ModifyDBCluster", was["DbClusterResourceId"])
        self._get_in(place)
        self._take("till-may-rename")
        self._arrived()
        now = self._pointer()
        ensure((now["host"], now["port"]) == (place["host"], place["port"]), "the till's applications have to look elsewhere")
        ensure(self._master().ask("SELECT count(*) FROM receipts") == "201", "the new receipt is missing")
        for user, password in ((place["username"], place["password"]), ("till_app", "known at the till"),
                               ("till_master", self.production.passwords["till_master"])):
            self._locked_out(user, password)
        copies = clusters.snapshots(DEVELOPMENT)
        ensure(copies == {"dev-anon-till-till-may-rename"}, f"copies are {copies}")
        self._refused()
        self._stopped()
        for account in (PRODUCTION, DEVELOPMENT):
            self.production.emulator.limit(account)

    def _refused(self):
        """A verb that a role may not ask for: the run fails there, and nothing is left of it."""
        with without(PRODUCTION, "anonymizer-AddWriter", "rds:CreateDBInstance"):
            run = self.production.workflow.run("till-no-writer", database="till")
        ensure(run.status == "FAILED" and "rds:CreateDBInstance" in run.cause, str(run))
        ensure(run.entered[run.entered.index("GiveUp") - 1] == "AddWriter", str(run))
        self._nothing_new()

    def _stopped(self):
        """An execution that somebody stops, when its cluster has an instance: the reaper removes both."""
        arn, end = self.production.workflow.start("till-stopped", database="till"), time.monotonic() + 60
        while not any(name.startswith("anon-tmp-") for name in clusters.names(PRODUCTION)[1]):
            ensure(time.monotonic() < end, "there is no instance to stop it at")
            time.sleep(0.1)
        self.production.workflow.api.stop_execution(executionArn=arn)
        ensure(self.production.workflow.wait(arn).status == "ABORTED", "it was not stopped")
        while True:
            try:
                return self._nothing_new()
            except AssertionError:
                if time.monotonic() > end + 60:
                    raise
                time.sleep(0.3)

    def _nothing_new(self):
        clusters.nothing_raw(self.production)
        clusters.releases(self.production, self.released)

    def login(self) -> postgres.Login:
        """How production's master user gets in."""
        place = self._cluster()["Endpoint"]
        return postgres.Login(place, "till_master", self.production.passwords["till_master"], "till", self._authority())

    def _make(self):
        password = self.production.passwords["till_master"] = secrets.token_hex(16)
        self.rds.create_db_cluster(
            DBClusterIdentifier=SOURCE, Engine="aurora-postgresql", MasterUsername="till_master", MasterUserPassword=password,
            DatabaseName="till", StorageEncrypted=True, KmsKeyId=self.production.key, DeletionProtection=True,
            BackupRetentionPeriod=7, Tags=[{"Key": "team", "Value": "till"}])
        _until(lambda: self._cluster()["Status"])
        name = f"{SOURCE}-1"
        self.rds.create_db_instance(DBInstanceIdentifier=name, DBClusterIdentifier=SOURCE, Engine="aurora-postgresql",
                                    DBInstanceClass="db.r6g.large")
        _until(lambda: self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"])
        self.login().script(FILES / "till.sql")
        self.production.put("rules/till/till.yaml", (FILES / "till.yaml").read_text())

    def _night(self):
        """The hour of automatic snapshots is the next one from now on: RDS takes one."""
        before, hour = self._automatic(), time.gmtime().tm_hour
        self.rds.modify_db_cluster(DBClusterIdentifier=SOURCE, ApplyImmediately=True,
                                   PreferredBackupWindow=f"{hour:02}:00-{(hour + 1) % 24:02}:00")
        taken, = self._automatic().keys() - before.keys()
        _until(lambda: self._automatic()[taken])
        self.known |= {one for one in self.login().lines(ORIGINALS) if len(one) > 5}

    def _automatic(self):
        found = self.rds.describe_db_cluster_snapshots(DBClusterIdentifier=SOURCE, SnapshotType="automated")
        return {one["DBClusterSnapshotIdentifier"]: one["Status"] for one in found["DBClusterSnapshots"]}

    def _cluster(self):
        return self.rds.describe_db_clusters(DBClusterIdentifier=SOURCE)["DBClusters"][0]

    def _authority(self):
        return self.development.emulator.servers / "authority.pem"

    def _released(self, start, before=None):
        """A run of production's that ends well, and development's answer to it."""
        before = before or self.before()
        start()
        run = self.production.workflow.started(before[0], "till")
        ensure(run.status == "SUCCEEDED" and run.output["released"], str(run))
        self.released.append(run.name)
        loops("production, a cluster", run, (
            "AwaitRestored", "AwaitWriter", "AwaitTakenOver", "AwaitRestarted", "AwaitStaged", "AwaitReEncrypted"))
        self._nothing_new()
        return self.development.workflow.started(before[1], "till")

    def before(self):
        """Executions that there are."""
        return self.production.workflow.executions(), self.development.workflow.executions()

    def _take(self, name):
        run = self.development.workflow.run(name, database="till")
        ensure(run.status == "SUCCEEDED" and run.output["result"]["changed"], str(run))
        loops("development, a cluster", run, ("AwaitSnapshot", "AwaitDatabase", "AwaitWriter", "AwaitTakeOver", "AwaitNew"))

    def _failed(self, run, state, said, resource_id):
        ensure(run.status == "FAILED" and state in run.entered and said in run.cause, f"{run}, not {state}: {said}")
        clusters.rest(self.development, resource_id)
        ensure(not clusters.snapshots(DEVELOPMENT, f"dev-anon-till-{run.name}"), "a copy is left")

    def _arrived(self):
        """Development has what production's last run has masked, and not one original."""
        clusters.rest(self.development, clusters.current()["DbClusterResourceId"])
        marker = self._master().ask("SELECT run_id || ' ' || verdict FROM anonymizer.statement")
        ensure(marker == f"{self.released[-1]} passed", f"the marker is {marker!r}")
        fakes = self._master().lines(ORIGINALS)
        ensure(len(fakes) >= 800 and not self.known & set(fakes), f"of {len(fakes)} values some are originals")
        self._get_in(self._pointer())
        found = grep.found(self.known, self.development.emulator.servers / DEVELOPMENT)
        ensure(not found, f"originals are in {found[:3]}")

    def _pointer(self):
        told = json.loads(client("secretsmanager", DEVELOPMENT).get_secret_value(SecretId=SECRET)["SecretString"])
        self.development.passwords.add(told["password"])
        return told

    def _master(self):
        found = clusters.current()
        kept = client("secretsmanager", DEVELOPMENT).get_secret_value(SecretId=found["MasterUserSecret"]["SecretArn"])
        login = json.loads(kept["SecretString"])
        return postgres.Login(found["Endpoint"], login["username"], login["password"], "till", self._authority())

    def _get_in(self, told):
        login = postgres.Login(told["host"], told["username"], told["password"], told["dbname"], self._authority())
        ensure(int(login.ask("SELECT count(*) FROM receipts")) >= 200, "receipts are missing")

    def _locked_out(self, user, password):
        place = self._pointer()
        try:
            postgres.Login(place["host"], user, password, "till", self._authority()).ask("SELECT 1")
        except postgres.Refused as refused:
            ensure("password authentication failed" in str(refused), str(refused))
        else:
            raise AssertionError(f"{user} gets into the till with an old password")


def _until(status, wanted="available", seconds=120):
    end = time.monotonic() + seconds
    while (found := status()) != wanted:
        ensure(found != "failed" and time.monotonic() < end, f"a till or its snapshot is {found}")
        time.sleep(0.1)
