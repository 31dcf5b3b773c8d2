"""ECS tasks as local processes, and `ecs:runTask.sync` as Step Functions has it: the task in PascalCase, `States.TaskFailed`
where the container ends with another code than 0.

An image is a program of this machine with its environment and its files (`DRILL_IMAGES`; `*` is every other one). The process
gets the environment of the task definition and of the overrides, the session of the task's role, and nothing else; its output
goes to the log group that the definition names.
"""

import hashlib
import json
import os
import secrets
import signal
import subprocess
import threading
import time
import uuid
from pathlib import Path

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs, ecs, sts
from ministack.services import stepfunctions as sfn

from . import passwords, state

TASKS = {}


def install():
    """Puts these in the place of the emulator's, which end well whatever the code."""
    sfn._SERVICE_DISPATCH["arn:aws:states:::ecs:runTask"] = run_and_wait


def run_and_wait(resource, wanted):
    """Starts a task, and waits for its end where the definition says `.sync`."""
    wanted = sfn._pascal_to_camel(wanted)
    definition = ecs._task_defs.get(ecs._resolve_td_key(wanted.get("taskDefinition", "")))
    if not definition:
        raise sfn._ExecutionError("ECS.ClientException", "The task definition does not exist.")
    task = start(definition, wanted)
    if resource.endswith(".sync"):
        while task["lastStatus"] != "STOPPED":
            time.sleep(0.1)
    described = _pascal({key: value for key, value in task.items() if not key.startswith("_")})
    failed = task["stopCode"] == "TaskFailedToStart" or any(one.get("exitCode") for one in task["containers"])
    if failed or any("exitCode" not in one for one in task["containers"]):
        raise sfn._ExecutionError("States.TaskFailed", json.dumps(described))
    return described


def start(definition, wanted):
    """One task of one container."""
    account, region = get_account_id(), get_region()
    container = definition["containerDefinitions"][0]
    overrides = {one["name"]: one for one in wanted.get("overrides", {}).get("containerOverrides", [])}
    own = overrides.get(container["name"], {})
    arn = f"arn:aws:ecs:{region}:{account}:task/{wanted.get('cluster', 'default').rsplit('/', 1)[-1]}/{uuid.uuid4().hex}"
    task = {
        "taskArn": arn, "taskDefinitionArn": definition["taskDefinitionArn"], "clusterArn": wanted.get("cluster"),
        "overrides": wanted.get("overrides", {}), "launchType": wanted.get("launchType"), "lastStatus": "RUNNING",
        "desiredStatus": "STOPPED", "stopCode": None, "stoppedReason": None, "createdAt": int(time.time() * 1000),
        "containers": [{"name": container["name"], "image": container["image"], "lastStatus": "RUNNING"}],
    }
    TASKS[arn] = task
    images = json.loads(Path(os.environ["DRILL_IMAGES"]).read_text())
    image = images.get(container["image"]) or images.get("*")
    if not image:
        return _stop(task, "TaskFailedToStart", "CannotPullContainerError")
    environment = dict(image["environment"])
    environment |= {one["name"]: one["value"] for one in container.get("environment", [])}
    environment |= {one["name"]: one["value"] for one in own.get("environment", [])}
    # What the image has in its file system is elsewhere here.
    files = image.get("files", {})
    environment = {name: files.get(value, value) for name, value in environment.items()}
    environment |= _platform(definition, account, region)
    words = [*image["entrypoint"], *(own.get("command") or container.get("command") or [])]
    process = subprocess.Popen(words, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    task["_process"] = process
    (state.servers.root() / "tasks").mkdir(exist_ok=True)
    (state.servers.root() / "tasks" / str(process.pid)).write_text(json.dumps(task["overrides"]))
    options = container.get("logConfiguration", {}).get("options", {})
    stream = f"{options.get('awslogs-stream-prefix', 'task')}/{container['name']}/{arn.rsplit('/', 1)[-1]}"
    follow = threading.Thread(target=_follow, args=(task, process, options.get("awslogs-group"), stream, account, region))
    follow.start()
    return task


def _follow(task, process, group, stream, account, region):
    lines = process.stdout.read().decode("utf-8", "replace").splitlines()
    code = process.wait()
    with request_scope(account, region):
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
        now = int(time.time() * 1000)
        cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": stream,
                                         "logEvents": [{"timestamp": now, "message": line} for line in lines]})
    task["containers"][0]["exitCode"] = code if code >= 0 else 128 - code
    (state.servers.root() / "tasks" / str(process.pid)).unlink(missing_ok=True)
    _stop(task, "EssentialContainerExited", "Essential container in task exited")


def _stop(task, code, reason):
    task["containers"][0]["lastStatus"] = "STOPPED"
    task |= {"stopCode": code, "stoppedReason": reason, "lastStatus": "STOPPED", "stoppedAt": int(time.time() * 1000)}
    return task


def _platform(definition, account, region):
    """What Fargate gives a container: its place, and the credentials of its role."""
    role = definition.get("taskRoleArn", "").rsplit("/", 1)[-1]
    key = "ASIA" + secrets.token_hex(8).upper()
    secret, token = passwords.note(secrets.token_hex(20)), passwords.note(secrets.token_hex(40))
    session = hashlib.sha256(key.encode()).hexdigest()[:32]
    sts.register_session(key, {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}", "UserId": f"{role}:{session}",
        "SecretAccessKey": secret, "SessionToken": token})
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token,
            "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"], "PATH": os.environ["PATH"], "HOME": "/tmp"}


def end_all():
    """Every process that is still there."""
    for task in TASKS.values():
        process = task.get("_process")
        if process and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _pascal(value):
    if isinstance(value, list):
        return [_pascal(one) for one in value]
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: _pascal(one) for key, one in value.items()}
    return value
