"""The accounts of the drill, and how one asks their services as their administrator."""

import os
import threading

import boto3
from botocore.config import Config

PRODUCTION, DEVELOPMENT, STRANGER, OTHER = "111111111111", "222222222222", "333333333333", "444444444444"
REGION = "eu-west-1"
_clients, _lock = {}, threading.Lock()


def client(service, account):
    """A service, as the account's root."""
    # Threads can share clients, and cannot make them at the same time.
    with _lock:
        key = service, account
        if key not in _clients:
            config = Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=60,
                            s3={"addressing_style": "path"})
            _clients[key] = boto3.client(
                service, endpoint_url=os.environ["DRILL_ENDPOINT"], region_name=REGION, config=config,
                aws_access_key_id=account, aws_secret_access_key="test")
        return _clients[key]


def pages(service, account, operation, field, **wanted):
    """Everything that an operation lists."""
    pager = client(service, account).get_paginator(operation)
    return [one for page in pager.paginate(**wanted) for one in page[field]]
