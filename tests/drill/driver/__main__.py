"""The drill, from two empty accounts to the last search. It ends with 1 where anything is otherwise than it must be."""

import sys
import time
import traceback

from emulator import servers

from . import asked, doctors, leaks, looks, packages, refusals, roles, weeks
from .accounts import DEVELOPMENT, PRODUCTION
from .development import Development
from .process import Emulator
from .production import Production
from .taps import Taps

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
    told, idle = roles.every(production, development)
    say(f"{told} functions fail without their roles' rights (never called: {', '.join(idle)})")
    for what, run in refusals.ALL.items():
        run(production, development)
        say(f"refused, and nothing is left: {what}")
    for account in (PRODUCTION, DEVELOPMENT):
        looks.ensure(taps.told(account, "FAILED"), f"nobody in {account} was told of a failure")
    say(leaks.search(production, development, taps, known))
    say(asked.tell(emulator))


def main():
    if not servers.programs():
        print("skipped: the drill of two accounts (PostgreSQL's server programs are not here)")
        return 0
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
