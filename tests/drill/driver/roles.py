"""What came of taking each permission of each function, and of the masking task, away when it was first asked for, in the runs
of this drill (emulator/trials.py): each time it must have failed, and said why.
"""

import json

from .accounts import DEVELOPMENT, PRODUCTION, pages
from .looks import ensure

# How AWS says that something may not be done.
DENIED = ("AccessDenied", "NotAuthorized", "not authorized", "KMSKeyNotAccessible", "permission")
TASK = "the masking task"
# What is only tidying up, and done again by the run's clean-up; the command's log says so.
TIDYING = (TASK, "s3:DeleteObject")


def every(production):
    """How many permissions of how many functions, and the functions that no run has called."""
    lines = (production.emulator.servers / "trials").read_text().splitlines()
    trials = [json.loads(line) for line in lines]
    for one in trials:
        what = f"{one['what']} of {one['account']} without {one['action']}"
        ensure(one["error"] or (one["what"], one["action"]) == TIDYING, f"{what} goes on as if nothing were")
        if not one["error"]:
            continue
        if one["what"] == TASK:
            ensure(one["error"] == "States.TaskFailed", f"{what}: {one['error']}")
            continue
        ensure(one["error"] in ("Fatal", "Refused"), f"{what}: {one['error']}: {one['cause']}")
        ensure(any(word in one["cause"] for word in DENIED), f"{what} does not say why: {one['cause']}")
    tried = {(one["account"], one["what"]) for one in trials}
    there = {(account, function["FunctionName"]) for account in (PRODUCTION, DEVELOPMENT)
             for function in pages("lambda", account, "list_functions", "Functions")}
    ensure((PRODUCTION, TASK) in tried and len(trials) > 2 * len(tried), f"{len(trials)} permissions of {len(tried)} are few")
    idle = sorted(" ".join(one) for one in there - tried)
    return len(trials), len(tried), idle
