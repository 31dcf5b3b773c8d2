"""Both doctors, asked by somebody who may look and nothing else: of what is deployed they find nothing wrong, and a way out they
name.
"""

import json
import os
import subprocess
from contextlib import contextmanager

from .accounts import DEVELOPMENT, PRODUCTION, REGION, client
from .looks import ensure

# What whoever asks may, which is all that the doctors need.
LOOKING = (
    "ec2:DescribePrefixLists", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetPublicKey",
    "lambda:GetFunctionConfiguration", "rds:DescribeAccountAttributes", "rds:DescribeDBClusterSnapshots", "rds:DescribeDBClusters",
    "rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:DescribeDBSubnetGroups", "rds:DescribeOptionGroups",
    "rds:DescribeOrderableDBInstanceOptions", "s3:GetObject", "s3:ListBucket", "states:DescribeStateMachine",
)
# The emulator looks for keys in the account of whoever asks, and this one is production's.
ELSEWHERE = "share key"
EVERYWHERE = "0.0.0.0/0"


def both(production, development):
    """Well as it is deployed; with a route out of each network, or without the way that there is, wrong, with a cure."""
    mask = production.stack.outputs["MaskKeyArn"]
    engineer = {account: _engineer(account, LOOKING) for account in (PRODUCTION, DEVELOPMENT)}
    look_at_production = lambda: _examine(production.emulator, engineer[PRODUCTION], "production", "FindSnapshot", mask)
    look_at_development = lambda: _examine(development.emulator, engineer[DEVELOPMENT], "development", "FindRelease")
    seen = _well(look_at_production()) + _well(look_at_development(), ELSEWHERE)
    table, gateway = production.stack.id("IsolatedRoutes"), _gateway(PRODUCTION)
    with _route(PRODUCTION, table, gateway):
        _named(look_at_production(), f"{table} leads to {gateway} (an internet gateway) for {EVERYWHERE}", times=2)
    with _closed(DEVELOPMENT, development.group, development.stack.outputs["FunctionSecurityGroup"]):
        _named(look_at_development(), ": reached", f"{development.group} does not let", times=3)
    with _blind(DEVELOPMENT), _blind(PRODUCTION):
        _unknown(look_at_production(), "subnet-", "sg-", "endpoint ")
        _unknown(look_at_development(), "shop: reached", "till: reached", "functions: ")
    return f"{seen} findings of both doctors are well; a route out and a closed database are named, with their cures"


def _engineer(account, actions):
    """Somebody who may do these: the account, and how to ask as them."""
    iam = client("iam", account)
    iam.create_user(UserName="engineer")
    _let(account, actions)
    key = iam.create_access_key(UserName="engineer")["AccessKey"]
    return account, key["AccessKeyId"], key["SecretAccessKey"]


def _let(account, actions):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    client("iam", account).put_user_policy(UserName="engineer", PolicyName="looking", PolicyDocument=json.dumps(policy))


@contextmanager
def _blind(account):
    """The engineer may not look at networks."""
    _let(account, [action for action in LOOKING if not action.startswith("ec2:")])
    try:
        yield
    finally:
        _let(account, LOOKING)


def _examine(emulator, engineer, side, function, *more):
    account, identifier, secret = engineer
    told = client("lambda", account).get_function_configuration(FunctionName=f"anonymizer-{function}")
    file = emulator.folder / f"{side}.json"
    file.write_text(json.dumps(told["Environment"]["Variables"]))
    environment = {"AWS_ENDPOINT_URL": emulator.url, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": identifier,
                   "AWS_SECRET_ACCESS_KEY": secret, "HOME": str(emulator.folder), "PATH": os.environ["PATH"]}
    ended = subprocess.run([os.environ["DRILL_DOCTORS"], side, file, *more], env=environment, capture_output=True,
                           text=True, timeout=120)
    lines = ended.stdout.splitlines()
    wrong = any(line.startswith("wrong") for line in lines)
    ensure(lines and ended.returncode == (3 if wrong else 0), f"the doctor of {side}: {ended.stdout}{ended.stderr}")
    return lines


def _well(lines, *unknown):
    """All but what nobody can know here."""
    known = [line for line in lines if not any(line.startswith(f"?      {about} ") for about in unknown)]
    ensure(len(known) == len(lines) - len(unknown), "\n".join(lines))
    ensure(all(line.startswith("ok ") for line in known), "\n".join(lines))
    return len(known)


def _unknown(lines, *about):
    """Nobody says that it is well, and nobody that it is wrong."""
    there = [line for line in lines if line[7:].startswith(about)]
    ensure(len(there) > 2 and all(line.startswith("? ") for line in there), "\n".join(lines))
    ensure(not any(line.startswith("wrong") for line in lines), "\n".join(lines))


def _named(lines, *said, times):
    wrong = [number for number, line in enumerate(lines) if line.startswith("wrong")]
    fits = [number for number in wrong if all(word in lines[number] for word in said)]
    ensure(fits == wrong and len(fits) == times, "\n".join(lines))
    ensure(all(lines[number + 1].strip().startswith("(hint: ") for number in fits), "\n".join(lines))


def _gateway(account):
    return client("ec2", account).create_internet_gateway()["InternetGateway"]["InternetGatewayId"]


@contextmanager
def _closed(account, group, to):
    ec2 = client("ec2", account)
    rules = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": to}]}]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
    try:
        yield
    finally:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)


@contextmanager
def _route(account, table, gateway):
    ec2 = client("ec2", account)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE, GatewayId=gateway)
    try:
        yield
    finally:
        ec2.delete_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE)
