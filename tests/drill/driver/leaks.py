"""Searches everything that the platform keeps of a run and tells of it: state machines' histories, logs of functions and
tasks, notifications, events, documents. Looks for originals of production and for every secret that was used.
"""

import base64
import binascii
import json
import urllib.parse

from .accounts import DEVELOPMENT, PRODUCTION, client, pages
from .looks import ensure, objects
from .machine import Machine

ACCOUNTS = (PRODUCTION, DEVELOPMENT)
# Originals that are shorter are words that stand everywhere.
SHORTEST = 8


def search(production, development, taps, originals):
    """How much was searched for how many; raises where anything was found."""
    secrets = set((production.emulator.servers / "secrets").read_text().splitlines())
    secrets |= set(production.passwords.values())
    words = {one for one in originals if len(one) >= SHORTEST} | secrets
    forms = {form: word for word in words for form in _forms(word)}
    places, characters = 0, 0
    for place, text in _everything(production, development, taps):
        places, characters = places + 1, characters + len(text)
        found = next((form for form in forms if form in text), None)
        # What was found is not told: this too is a log.
        sort = "a secret" if found and forms[found] in secrets else "an original"
        ensure(found is None, f"{sort} of {len(found or '')} characters stands in {place}")
    ensure(len(secrets) > 4 and len(words) > 1000, f"there are {len(secrets)} secrets and {len(words)} words only")
    return f"{len(words)} originals and secrets, in {len(forms)} forms, in none of {places} places ({characters:,} characters)"


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
        if len(middle) >= SHORTEST:
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
