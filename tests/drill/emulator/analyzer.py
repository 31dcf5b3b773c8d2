"""IAM Access Analyzer, as far as somebody asks it for a preview of sharing a snapshot: who would be let in follows from the
configuration that it is sent. A preview is made when it has been looked at once, and findings come one on a page.
"""

import json
import re
import uuid

from ministack import app
from ministack.core import iam_actions, router

from . import rights, servers, state
from .answer import Refusal
from .request import Request

SERVICE = "access-analyzer"
# By the word of a configuration: the word of a finding, that of an ARN, and all there are.
SNAPSHOTS = {"rdsDbSnapshot": ("AWS::RDS::DBSnapshot", "snapshot", state.SNAPSHOTS),
             "rdsDbClusterSnapshot": ("AWS::RDS::DBClusterSnapshot", "cluster-snapshot", state.CLUSTER_SNAPSHOTS)}
CALLS = {"PUT": "CreateAccessPreview", "GET": "GetAccessPreview", "POST": "ListAccessPreviewFindings"}
PREVIEWS = {}


def install():
    """A service that the emulator has not: its requests are known by what their signature names."""
    router.SERVICE_PATTERNS[SERVICE] = {}
    app.SERVICE_HANDLERS[SERVICE] = _handle
    of_others = iam_actions.extract_iam_action

    def action(service, method, *rest):
        return f"{SERVICE}:{CALLS.get(method)}" if service == SERVICE else of_others(service, method, *rest)

    iam_actions.extract_iam_action = action


async def _handle(method, path, headers, body, query):
    try:
        call = CALLS[method]
        asked = json.loads(body) if body else {name: value[0] for name, value in query.items()}
        rights.require(Request(call, {}), [(asked["analyzerArn"], {})], f"{SERVICE}:{call}")
        answer = _create(asked) if call == "CreateAccessPreview" else _of(call, path.rsplit("/", 1)[-1], asked)
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
    except Refusal as refusal:
        code = "AccessDeniedException" if refusal.status == 403 else refusal.code
        print(f"the analyzer refuses {method} {path}: {code}: {refusal.message}", flush=True)
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
        return refusal.status, headers, json.dumps({"message": refusal.message}).encode()


def _create(asked):
    known = [name for name, one in PREVIEWS.items() if one["token"] == asked.get("clientToken")]
    if known:
        return {"id": known[0]}
    [(arn, configuration)] = asked["configurations"].items()
    [(kind, wanted)] = configuration.items()
    of, word, there = SNAPSHOTS[kind]
    *_, region, owner, found, name = arn.split(":", 6)
    record = state.find(there, owner, region, name, "ValidationException")
    if found != word or wanted["kmsKeyId"] != record["KmsKeyId"]:
        raise Refusal("ValidationException", f"{arn} is not {kind} under {wanted['kmsKeyId']}.")
    name = str(uuid.uuid4())
    PREVIEWS[name] = {"token": asked.get("clientToken"), "arn": arn, "kind": of, "looked": False,
                      "accounts": wanted["attributes"]["restore"]["accountIds"] + _strangers()}
    return {"id": name}


def _of(call, name, asked):
    if name not in PREVIEWS:
        raise Refusal("ResourceNotFoundException", f"There is no preview {name}.", 404)
    preview = PREVIEWS[name]
    status, preview["looked"] = "COMPLETED" if preview["looked"] else "CREATING", True
    if call == "GetAccessPreview":
        return {"accessPreview": {"id": name, "analyzerArn": asked["analyzerArn"], "status": status,
                                  "createdAt": state.moment(), "configurations": {}}}
    number = int(asked.get("nextToken", "0"))
    page = {"findings": [_finding(preview, one) for one in preview["accounts"][number:number + 1]]}
    return page | ({"nextToken": str(number + 1)} if number + 1 < len(preview["accounts"]) else {})


def _finding(preview, account):
    public = account == "all"
    return {"id": str(uuid.uuid4()), "resource": preview["arn"], "resourceType": preview["kind"], "isPublic": public,
            "principal": {"AWS": "*" if public else account}, "action": ["rds:RestoreDBInstanceFromDBSnapshot"],
            "resourceOwnerAccount": preview["arn"].split(":")[4], "changeType": "NEW", "status": "ACTIVE",
            "createdAt": state.moment()}


def _strangers():
    """Whom the drill says that sharing would let in besides."""
    file = servers.root() / "strangers.json"
    found = json.loads(file.read_text()) if file.exists() else []
    return [one for one in found if re.fullmatch(r"\d{12}|all", one)]
