"""Each permission of each function, and of the masking task, in turn, taken away the first time that it is asked for: the very
call of the run is made without it first, and must fail; then it is made again, with it.

What a function may and has not asked for yet is denied until it asks. A call that asks for nothing new is made once. What came
of it is written down in `trials`, for the drill to judge.
"""

import json
import threading

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalResult
from ministack.core.responses import get_account_id
from ministack.services import lambda_svc
from ministack.services import stepfunctions as sfn

from . import servers

# By account and role: what it has asked for before, and what is kept from it now.
_known, _kept = {}, {}
_locks, _lock = {}, threading.Lock()
# Roles in whose name a call is being made again, and how many calls there were of each.
_again, _calls = set(), {}


class Kept:
    """Actions that a role may not for one call."""

    def __init__(self, actions):
        self.actions, self.asked = actions, []


def install():
    """Listens where policies are looked at."""
    evaluate = iam_evaluator.evaluate

    def evaluated(context, policies, *limits):
        result = evaluate(context, policies, *limits)
        kept = _kept.get(_role(context.principal_arn))
        # What is denied anyway is nobody's trial.
        if kept and context.action in kept.actions and result.decision == "Allow":
            kept.asked.append(context.action)
            return EvalResult("ImplicitDeny", context.principal_arn, "", "kept from it")
        return result

    iam_evaluator.evaluate = evaluated


def function(arn, call):
    """Calls a function as a state machine does, without each permission that it is about to use for the first time."""
    _, config, name = lambda_svc._get_func_record_for_ref(arn)
    return attempt((config or {}).get("Role", ""), name, call)


def attempt(role_arn, what, call):
    """The same of whatever has a role."""
    role = get_account_id(), role_arn.rsplit("/", 1)[-1]
    with _lock:
        mine = _locks.setdefault(role, threading.Lock())
    # One call at a time: what is kept is kept from the role.
    with mine:
        _calls[role] = _calls.get(role, 0) + 1
        try:
            while True:
                done, answer = _once(role, what, call)
                if done:
                    return answer
                _again.add(role)
        finally:
            _again.discard(role)


def _once(role, what, call):
    known = _known.setdefault(role, set())
    kept = _kept[role] = Kept(_actions(role) - known)
    try:
        answer = call()
        _write(role, what, kept, "", "")
        return True, answer
    except sfn._ExecutionError as error:
        _write(role, what, kept, error.error, error.cause)
        if not kept.asked:
            raise
        return False, None
    finally:
        known.update(kept.asked)
        del _kept[role]


def again(request):
    """Whoever asks is called once more, and what it looks at now no state machine has waited for."""
    return _asker(request) in _again


def call(request):
    """Of which call of which role a request is."""
    role = _asker(request)
    return role, _calls.get(role)


def _asker(request):
    found = iam_evaluator.resolve_principal(request.caller(), request.account)
    return _role(getattr(found, "arn", ""))


def _write(role, what, kept, error, cause):
    with open(servers.root() / "trials", "a") as file:
        for action in dict.fromkeys(kept.asked):
            line = {"account": role[0], "what": what, "action": action, "error": error, "cause": cause}
            file.write(json.dumps(line) + "\n")


def _role(principal):
    parts = principal.split(":")
    return (parts[4], parts[5].split("/")[1]) if ":assumed-role/" in principal else None


def _actions(role):
    policies = iam_evaluator._gather_role_policies(role[1], role[0])
    return {action for policy in policies for one in policy if one.effect == "Allow" for action in one.actions}
