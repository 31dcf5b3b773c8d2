"""Every function in turn, called as it was called in a good run, while its role may nothing: it must fail and change nothing."""

import json

from .accounts import DEVELOPMENT, PRODUCTION, client, pages
from .looks import ensure
from .rights import documents, without


def every(production, development):
    """How many there are; a function that no run has called is not called here either, and named."""
    calls, told, idle = _calls(production), 0, []
    for account in (PRODUCTION, DEVELOPMENT):
        for function in pages("lambda", account, "list_functions", "Functions"):
            name, role = function["FunctionName"], function["Role"].rsplit("/", 1)[-1]
            payload = calls.get(function["FunctionArn"])
            if payload is None:
                idle.append(name.removeprefix("anonymizer-"))
                continue
            with without(account, role, *_actions(account, role)):
                answer = client("lambda", account).invoke(FunctionName=name, Payload=json.dumps(payload).encode())
            said = json.loads(answer["Payload"].read())
            ensure("FunctionError" in answer and said["errorType"] in ("Fatal", "Refused"), f"{name} without rights: {said}")
            told += 1
    ensure(told > 25, f"{told} functions only were called in a good run")
    return told, sorted(set(idle))


def _actions(account, role):
    for document in documents(account, role).values():
        for statement in document["Statement"]:
            yield from [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]


def _calls(production):
    lines = (production.emulator.servers / "calls").read_text().splitlines()
    return dict(json.loads(line) for line in lines)
