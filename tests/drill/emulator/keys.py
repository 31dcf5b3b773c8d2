"""Keys in KMS: what is derived from one is written down, so that the drill can search for it; and the key that RDS takes where
none is named, `aws/rds`, one for each account and region.
"""

import base64
import json

from ministack.core.responses import request_scope
from ministack.services import kms

from . import passwords

_own = {}


def install():
    """Listens at the one place where codes are made."""
    compute = kms._compute_mac

    def compute_mac(*wanted):
        code = compute(*wanted)
        passwords.note(code.hex())
        passwords.note(base64.b64encode(code).decode())
        return code

    kms._compute_mac = compute_mac


def of_rds(account, region) -> str:
    """Whoever in the account may use RDS may use it, and nobody elsewhere."""
    if (account, region) not in _own:
        condition = {"kms:ViaService": f"rds.{region}.amazonaws.com", "kms:CallerAccount": account}
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:DescribeKey", "kms:CreateGrant"], "Resource": "*",
            "Condition": {"StringEquals": condition}}]}
        with request_scope(account, region):
            _, _, made = kms._create_key({"Description": "aws/rds", "Policy": json.dumps(policy)})
        _own[account, region] = json.loads(made)["KeyMetadata"]["Arn"]
    return _own[account, region]
