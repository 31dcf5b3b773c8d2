"""Searches everything that the platform keeps of a run and tells of it: state machines' histories, logs of functions and
tasks, notifications, events, documents. Looks for originals of production and for every secret that was used.
"""

import base64
import binascii
import json
import tempfile
import urllib.parse
from pathlib import Path

from . import grep
from .accounts import DEVELOPMENT, PRODUCTION, client, pages
from .looks import ensure, objects
from .machine import Machine

ACCOUNTS = (PRODUCTION, DEVELOPMENT)
# Stands in every sort of place.
CONTROL = "anon-share-shop-week-1"
# Originals that are shorter are words that stand everywhere.
SHORTEST = 8


def search(production, development, taps, originals):
    """How much was searched for how many; raises where anything was found."""
    secrets = set((production.emulator.servers / "secrets").read_text().splitlines())
    secrets |= development.passwords | set(production.passwords.values())
    words = {one for one in originals if len(one) >= SHORTEST} | secrets
    forms = {form for word in words for form in _forms(word) if len(form) >= SHORTEST}
    ensure(len(secrets) > 4 and len(words) > 1000, f"there are {len(secrets)} secrets and {len(words)} words only")
    with tempfile.TemporaryDirectory() as folder:
        places, characters = [], 0
        for place, text in _everything(production, development, taps):
            (Path(folder) / str(len(places))).write_text(text)
            places.append(place)
            characters += len(text)
        name = lambda file: places[int(Path(file).name)]
        known = {name(file).split(":")[0].split(" ")[0] for file in grep.found([CONTROL], folder)}
        ensure(len(known) > 2, f"{CONTROL} stands in {known} only: the search does not find what is there")
        # What was found is not told: this too is a log.
        found = [name(file) for file in grep.found(forms, folder)]
        ensure(not found, f"an original or a secret stands in {found}")
    where = f"{len(places)} places, {characters:,} characters"
    return f"{len(words)} originals and secrets, in {len(forms)} forms, in none of {where}"


def _forms(word):
    data = word.encode()
    yield word
    yield json.dumps(word)[1:-1]
    yield urllib.parse.quote(word, safe="")
    yield binascii.hexlify(data).decode()
    # The middle is the same whatever stands before it.
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + data).decode()
        middle = text[4 if shift else 0:-4]
        yield middle


def _everything(production, development, taps):
    for account in ACCOUNTS:
        for machine in pages("stepfunctions", account, "list_state_machines", "stateMachines"):
            for arn, events in Machine(account, machine["stateMachineArn"]).all_histories().items():
                yield arn, json.dumps(events, default=str)
        for group in pages("logs", account, "describe_log_groups", "logGroups"):
            lines = pages("logs", account, "filter_log_events", "events", logGroupName=group["logGroupName"])
            yield group["logGroupName"], "\n".join(one["message"] for one in lines)
    for number, (account, body) in enumerate(taps.all()):
        yield f"message {number} of {account}", body
    for account, bucket in ((PRODUCTION, production.documents), (PRODUCTION, production.evidence),
                            (DEVELOPMENT, development.documents)):
        for key in objects(account, bucket):
            body = client("s3", account).get_object(Bucket=bucket, Key=key)["Body"].read()
            yield f"s3://{bucket}/{key}", body.decode("utf-8", "replace")
