"""The drill, from two empty accounts to the last search. It ends with 1 where anything is otherwise than it must be."""

import signal
import sys
import time
import traceback

from emulator import servers

from . import arrivals, asked, doctors, leaks, looks, machines, packages, refusals, roles, weeks, wishes
from .accounts import DEVELOPMENT, PRODUCTION
from .development import Development
from .process import Emulator
from .production import Production
from .taps import Taps
from .together import together

BEGAN = time.monotonic()


def say(text):
    """A line with the seconds since the start."""
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def drill(emulator):
    """Everything, in order."""
    production = Production(emulator)
    say("production is deployed and has a database")
    development = Development(emulator, production)
    taps = Taps()
    say("development is deployed")
    known = weeks.first(production, development)
    say("week 1: released, received, masked")
    known |= weeks.second(production, development)
    say("week 2: the same fakes under the same address, new passwords")
    weeks.third(production, development)
    say("week 3: a new column without a rule refuses the run")
    say(doctors.both(production, development))
    pending = arrivals.Pending(production, development)
    say("development's wish, for which a killed container goes on; a key that does not let development in")
    # The emulator begins all functions of a name anew, in both accounts, when one of them is changed: nothing else may run.
    arrivals.producer(pending)
    say("the stack of development has another producer: production's release is a stranger's")
    together(lambda: refuse_in_production(production, development), lambda: refuse_in_development(pending))
    wishes.other_account(production, development)
    say("shared with another account: ours can take nothing, and is not heard")
    wishes.expired(production, development)
    say("an expired statement is refused")
    wishes.at_once(production, development)
    say("of several at once one goes on, in both accounts; the secret leads to the new database, and names stay")
    permissions, those, idle = roles.every(production)
    say(f"{permissions} permissions of {those} functions and tasks were missing once, and missed")
    looks.ensure(not idle, f"no run has called {idle}")
    looks.every_loop()
    for account in (PRODUCTION, DEVELOPMENT):
        looks.ensure(taps.told(account, "FAILED"), f"nobody in {account} was told of a failure")
    say(leaks.search(production, development, taps, known))
    say(asked.tell(emulator))


def refuse_in_production(production, development):
    """What must not end well there. Development does not notice."""
    for what, run in refusals.ALL.items():
        run(production)
        say(f"refused by production, and nothing is left: {what}")
    machines.production_workflow(production)
    machines.production_silent(production, development)
    machines.production_helpless(production)
    machines.production_others(production)
    say("its workflow, its fleet and its requests without a permission of their own: nothing is shared, nothing is left")
    machines.production_reaper(production, development)
    say("stopped, with rules, schedules or the reaper without a permission: red, known, and removed in the end")


def refuse_in_development(pending):
    """The same of a release that is there, until it is taken."""
    arrivals.signature(pending)
    arrivals.quota(pending)
    arrivals.rights(pending)
    say("refused by development: a broken signature, a quota, three functions without a permission")
    machines.development_workflow(pending)
    machines.development_others(pending)
    say("its machines, rules and schedules without a permission of their own: what was in use is in use, nothing is left")
    arrivals.at_last(pending)
    say("what a stranger shares is passed over, and the release arrives")


def main():
    if not servers.programs():
        print("skipped: the drill of two accounts (PostgreSQL's server programs are not here)")
        return 0
    # Whoever ends the drill ends its servers too, and their files.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Emulator(packages.images) as emulator:
        try:
            drill(emulator)
        except BaseException:
            traceback.print_exc()
            print("".join(emulator.last_words()), file=sys.stderr)
            return 1
    say("done")
    return 0


sys.exit(main())
