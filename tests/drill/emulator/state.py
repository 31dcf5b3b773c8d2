"""What both accounts have on RDS, and how it changes with time: nothing that is asked for is there at once.

A record is what RDS would answer of a thing; what begins with `_` is this emulator's own.
"""

import json
import os
import threading
import time
import traceback

from . import servers, trials
from .answer import Refusal

INSTANCES, SNAPSHOTS, BACKUPS = {}, {}, {}
CLUSTERS, CLUSTER_SNAPSHOTS, CLUSTER_BACKUPS = {}, {}, {}
LOCK = threading.RLock()
# Seconds after which nobody is expected to look any more.
PATIENCE = 60
_addresses = {}


def delay() -> float:
    """Seconds that anything takes at the least, so that whoever waits has to look again."""
    return float(os.environ.get("DRILL_DELAY", "0.5"))


def limit(account, what, otherwise=100) -> int:
    """A quota, which the drill may make another one in `limits.json`."""
    file = servers.root() / "limits.json"
    limits = json.loads(file.read_text()) if file.exists() else {}
    return limits.get(account, {}).get(what, otherwise)


def find(records, account, region, name, code):
    """The record of that name, or the refusal that RDS has for it."""
    found = records.get((account, region, name.lower()))
    if not found:
        raise Refusal(code, f"{name} not found.", 404)
    return found


def of(records, account, region):
    """Everything of an account's in a region."""
    return [one for (owner, place, _), one in records.items() if (owner, place) == (account, region)]


def address(account, name) -> str:
    """Where a database of that name is, like the name's host on RDS: who gets the name is found where its predecessor was."""
    network = int(os.environ.get("DRILL_NETWORK", "77"))
    number = _addresses.setdefault((account, name), len(_addresses) + 2)
    return f"127.{network}.{number // 250}.{number % 250 + 2}"


def later(request, record, field, during, after, work=lambda: None, hidden=0.0):
    """Does some work while a record's status says so; `hidden` seconds it still says what it said before. What a role has asked
    for is not done before a role has looked and seen that it is not: so every loop of a definition goes round. The step itself
    that has asked may look too, and does not count.
    """

    def run():
        began = time.monotonic()
        try:
            time.sleep(hidden)
            with LOCK:
                record[field] = during
            work()
        except Exception:
            traceback.print_exc()
            record[field] = "failed"
            return
        time.sleep(max(0.0, delay() - (time.monotonic() - began)))
        while not record["_seen"] and time.monotonic() - began < PATIENCE:
            time.sleep(0.05)
        with LOCK:
            if record[field] == during:
                record[field] = after() if callable(after) else after

    record |= {"_seen": not request.by_role(), "_asked": trials.call(request)}
    if not hidden:
        record[field] = during
    threading.Thread(target=run, daemon=True).start()


def looked(request, records):
    """These are what a request is answered with."""
    if request.by_role() and not trials.again(request):
        call = trials.call(request)
        for record in records:
            if record.get("_asked") != call:
                record["_seen"] = True
    return records


def moment(hours_ago=0) -> str:
    """Now, or some time ago, as RDS writes it."""
    now = time.time() - 3600 * hours_ago
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"


def tag_list(tags):
    """Tags as RDS answers them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def tag_map(record):
    """Tags of a record."""
    return {tag["Key"]: tag["Value"] for tag in record.get("TagList", [])}
