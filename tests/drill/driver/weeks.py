"""The good weeks: a release, a second one a week later with the same fakes, and a change of the schema that refuses."""

from . import grep, looks, postgres, schedules
from .accounts import DEVELOPMENT, PRODUCTION
from .looks import ensure
from .till import Till
from .together import together

# What must not arrive, by the database that it is in.
ORIGINALS = {
    ("shop", "shop"): """SELECT unnest(ARRAY[email, phone, iban, street]) FROM customers
        UNION SELECT unnest(ARRAY[contact_email, ship_name, ship_address]) FROM orders""",
    ("shop", "billing"): "SELECT unnest(ARRAY[payer, email, iban]) FROM invoices",
    ("books", "books"): "SELECT unnest(ARRAY[name, email, phone]) FROM readers",
}
# The loops of the definitions: each has to look more than once.
LOOPS = {
    "production": ["AwaitRestored", "AwaitTakenOver", "AwaitRestarted", "AwaitStaged", "AwaitReEncrypted", "PreviewAccess",
                   "CleanUp"],
    "development": ["AwaitSnapshot", "AwaitDatabase", "AwaitTakeOver"],
}
# Those that one server alone comes to.
MORE = {("production", "books"): ["AwaitEncrypted"], ("development", "shop"): ["AwaitNew"]}


def originals(production):
    """Everything of production that must not be anywhere else."""
    found = {line for (_, name), query in ORIGINALS.items() for line in production.login(name).lines(query)}
    return {one for one in found if len(one) > 5}


def released(production, development, start, *servers):
    """Whole runs, however they were started, from production's snapshots to the databases that applications find: the runs in
    both accounts, by their servers.
    """
    before = production.workflow.executions(), development.workflow.executions()
    start()
    first = production.workflow.all_started(before[0], *servers)
    for server, run in first.items():
        ensure(run.status == "SUCCEEDED" and run.output["released"], str(run))
        production.release(server, run.name)
    looks.nothing_raw(production)
    looks.releases(production)
    second = development.workflow.all_started(before[1], *servers)
    for server, run in second.items():
        ensure(run.status == "SUCCEEDED" and run.output["result"]["changed"], str(run))
        development.arrived.add(server)
    looks.development_rests(development)
    for machine, runs in (("production", first), ("development", second)):
        for server, run in runs.items():
            looks.loops(machine, run, LOOPS[machine] + MORE.get((machine, server), []))
    return first, second


def arrived(production, development, run, originals, server="shop"):
    """Development has what that run has masked, and not one original."""
    for (_, name), query in [(key, query) for key, query in ORIGINALS.items() if key[0] == server]:
        login = development.master(name, server)
        marker = login.ask("SELECT run_id || ' ' || verdict FROM anonymizer.statement")
        ensure(marker == f"{run} passed", f"the marker of {name} is {marker!r}")
        fakes = login.lines(query)
        ensure(len(fakes) > 100, f"{name} has {len(fakes)} values only")
        ensure(not originals & set(fakes), f"{name} has originals")
    table, rows = {"shop": ("customers", "300"), "books": ("readers", "60")}[server]
    ensure(development.application(server).ask(f"SELECT count(*) FROM {table}") == rows, f"{table} are missing")
    found = grep.found(originals, development.emulator.servers / DEVELOPMENT)
    ensure(not found, f"originals are in {found[:3]}")


def fakes(development):
    """Of customers, by their keys."""
    return dict(line.split("|", 1) for line in development.application().lines("SELECT id, email FROM customers"))


def locked_out(production, development, old):
    """Neither production's passwords nor those of the week before let anybody in."""
    place = development.application()
    for user, password in [("shop_app", "known in production"), ("shop_master", production.passwords["shop_master"]), old]:
        login = postgres.Login(place.host, user, password, "shop", place.authority)
        try:
            login.ask("SELECT 1")
        except postgres.Refused as refused:
            ensure("password authentication failed" in str(refused), str(refused))
        else:
            raise AssertionError(f"{user} gets in with an old password")


def first(production, development):
    """The first week, of one server. Of the other there is an old snapshot only, which nobody may have any more. The till
    has a week of its own beside it.
    """
    production.till = Till(production, development)
    production.till.begin(production.till.first)
    together(lambda: production.snapshot("shop-night-1"), lambda: production.snapshot("books-old", "books", hours_ago=72))
    known = originals(production)
    ensure(len(known) > 1000, f"{len(known)} originals are few")
    ensure(grep.found(known, production.emulator.servers / PRODUCTION), "the search finds nothing where everything is")
    old = production.workflow.run("too-old", database="books")
    ensure(old.status == "FAILED" and "no snapshot of books-production" in old.cause and "books-old: " in old.cause, str(old))
    released(production, development, lambda: production.workflow.start("week-1", database="shop", reason="a drill"), "shop")
    arrived(production, development, "week-1", known)
    locked_out(production, development, ("shop_app", "known in production"))
    return known


def second(production, development):
    """A week later, of every server, by the schedule: one more invoice, the same customers with the same fakes, at the same
    address, though development's database was stopped over the weekend. The books are new there.
    """
    was, place = fakes(development), development.pointer()
    development.stop()
    production.login("billing").ask(
        "INSERT INTO invoices VALUES (1000, 'Payer1000 Ofbefore', 'payer1000@books.net', 'DE0012345', 5)")
    together(lambda: production.snapshot("shop-night-2"), lambda: production.snapshot("books-night-2", "books"))
    known = originals(production)
    till, fleets = production.till, production.fleet.executions()
    till.end()
    till.begin(till.second, till.before())
    first, second = released(production, development, lambda: schedules.fire(PRODUCTION, "anonymizer-fleet"), "shop", "books")
    ensure("StartCurrent" in second["shop"].entered, "the stopped database was not started")
    for server, run in first.items():
        arrived(production, development, run.name, known, server)
    ensure(fakes(development) == was, "fakes have changed")
    now = development.pointer()
    ensure((now["host"], now["port"]) == (place["host"], place["port"]), "applications have to look elsewhere")
    ensure(development.master("billing").ask("SELECT count(*) FROM invoices") == "41", "the new invoice is missing")
    fleet = production.fleet.started(fleets)
    ensure(fleet.status == "SUCCEEDED", str(fleet))
    locked_out(production, development, (place["username"], place["password"]))
    return known | till.known


def third(production, development):
    """A column that no rule speaks of: refused before anything is masked, and development keeps what it has."""
    was = development.database()["DbiResourceId"]
    production.login("shop").ask("ALTER TABLE customers ADD COLUMN nickname text")
    production.snapshot("shop-night-3")
    run = production.workflow.run("week-3", database="shop")
    ensure(run.status == "FAILED" and run.error == "Refused" and "rules do not fit" in run.cause, str(run))
    looks.nothing_raw(production)
    looks.releases(production)
    ensure(development.database()["DbiResourceId"] == was, "development's database has changed")
    production.login("shop").ask("ALTER TABLE customers DROP COLUMN nickname")
    production.snapshot("shop-night-4")
    production.till.end()
