"""The password of a master user that RDS keeps itself: in a secret of the account's, gone with its database."""

import json
import secrets
import uuid

from ministack.core.responses import request_scope
from ministack.services import secretsmanager

from . import servers


def new(record):
    """The ARN of a secret that there is not yet."""
    _, _, _, region, account, kind, _ = record[_field(record)].split(":", 6)
    return f"arn:aws:secretsmanager:{region}:{account}:secret:rds!{kind}-{uuid.uuid4()}"


def _field(record):
    """Where the ARN of an instance or of a cluster stands."""
    return next(field for field in ("DBClusterArn", "DBInstanceArn") if field in record)


def announce(record, secret, key):
    """What is told of the secret before there is a password."""
    record["PendingModifiedValues"] = {"MasterUserPassword": "****"}
    record["MasterUserSecret"] = {"SecretArn": secret, "SecretStatus": "creating", "KmsKeyId": key}
    record["_secret"] = secret.rsplit(":", 1)[-1]


def take(request, record):
    """Gives the master user a password that nobody had, and keeps it."""
    password = note(secrets.token_urlsafe(24))
    servers.set_password(record["_data"], record["MasterUsername"], password)
    login = {"username": record["MasterUsername"], "password": password}
    with request_scope(request.account, request.region):
        arn, _ = secretsmanager._store_new_secret(
            record["_secret"], secret_string=json.dumps(login), kms_key_id=record["MasterUserSecret"]["KmsKeyId"],
            tags=[{"Key": f"aws:rds:primary{_field(record)}", "Value": record[_field(record)]}])
    record["PendingModifiedValues"] = {}
    record["MasterUserSecret"] |= {"SecretArn": arn, "SecretStatus": "active"}


def note(secret):
    """Writes down a secret that somebody is given: the drill searches for each."""
    with open(servers.root() / "secrets", "a") as file:
        file.write(secret + "\n")
    return secret


def drop(request, record):
    """With its database."""
    if record.get("_secret"):
        with request_scope(request.account, request.region):
            secretsmanager._delete_secret({"SecretId": record["_secret"], "ForceDeleteWithoutRecovery": True})
