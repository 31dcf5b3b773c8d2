"""The good weeks: a release, a second one a week later with the same fakes, and a change of the schema that refuses."""

from . import grep, looks, postgres
from .accounts import DEVELOPMENT, PRODUCTION
from .looks import ensure
from .till import Till

# What must not arrive, by the database that it is in.
ORIGINALS = {
    "shop": """SELECT unnest(ARRAY[email, phone, iban, street]) FROM customers
        UNION SELECT unnest(ARRAY[contact_email, ship_name, ship_address]) FROM orders""",
    "billing": "SELECT unnest(ARRAY[payer, email, iban]) FROM invoices",
}
# The loops of the definitions: each has to look more than once.
LOOPS = {
    "production": ["AwaitRestored", "AwaitTakenOver", "AwaitRestarted", "AwaitStaged", "AwaitReEncrypted", "PreviewAccess",
                   "CleanUp"],
    "development": ["AwaitSnapshot", "AwaitDatabase", "AwaitTakeOver", "AwaitNew"],
}


def originals(production):
    """Everything of production that must not be anywhere else."""
    found = {line for name, query in ORIGINALS.items() for line in production.login(name).lines(query)}
    return {one for one in found if len(one) > 5}


def released(production, development, start):
    """A whole run, however it was started, from production's snapshot to the database that applications find: its name."""
    before = production.workflow.executions(), development.workflow.executions()
    start()
    first = production.workflow.started(before[0])
    ensure(first.status == "SUCCEEDED" and first.output["released"], str(first))
    production.released.add(first.name)
    looks.nothing_raw(production)
    looks.releases(production)
    second = development.workflow.started(before[1])
    ensure(second.status == "SUCCEEDED" and second.output["result"]["changed"], str(second))
    looks.development_rests(development)
    for machine, execution in (("production", first), ("development", second)):
        for state in LOOPS[machine]:
            ensure(execution.entered.count(state) > 1, f"{machine}'s {state} has looked once only")
    return first.name


def arrived(production, development, run, originals):
    """Development has what that run has masked, and not one original."""
    for name, query in ORIGINALS.items():
        login = development.master(name)
        marker = login.ask("SELECT run_id || ' ' || verdict FROM anonymizer.statement")
        ensure(marker == f"{run} passed", f"the marker of {name} is {marker!r}")
        fakes = login.lines(query)
        ensure(len(fakes) > 100, f"{name} has {len(fakes)} values only")
        ensure(not originals & set(fakes), f"{name} has originals")
    ensure(development.application().ask("SELECT count(*) FROM customers") == "300", "customers are missing")
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
    """The first week. The till has one of its own beside it."""
    production.till = Till(production, development)
    production.till.begin(production.till.first)
    production.snapshot("shop-night-1")
    known = originals(production)
    ensure(len(known) > 1000, f"{len(known)} originals are few")
    ensure(grep.found(known, production.emulator.servers / PRODUCTION), "the search finds nothing where everything is")
    run = released(production, development, lambda: production.workflow.start("week-1", database="shop", reason="a drill"))
    arrived(production, development, run, known)
    locked_out(production, development, ("shop_app", "known in production"))
    return known


def second(production, development):
    """A week later, of every database: one more invoice, the same customers with the same fakes, at the same address."""
    was, place = fakes(development), development.pointer()
    production.login("billing").ask(
        "INSERT INTO invoices VALUES (1000, 'Payer1000 Ofbefore', 'payer1000@books.net', 'DE0012345', 5)")
    production.snapshot("shop-night-2")
    known = originals(production)
    till, fleet = production.till, []
    till.end()
    till.begin(till.second, till.before())
    run = released(production, development, lambda: fleet.append(production.fleet.start("sunday")))
    arrived(production, development, run, known)
    ensure(fakes(development) == was, "fakes have changed")
    now = development.pointer()
    ensure((now["host"], now["port"]) == (place["host"], place["port"]), "applications have to look elsewhere")
    ensure(development.master("billing").ask("SELECT count(*) FROM invoices") == "41", "the new invoice is missing")
    fleet = production.fleet.wait(*fleet)
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
