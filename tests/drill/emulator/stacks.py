"""What the emulator's CloudFormation does not do of a template: some types that it has no word for, and the lock of buckets.

Each takes the template's own properties, resolved, and asks the emulator's own service for them.
"""

import json

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import ec2, eventbridge, s3
from ministack.services.cloudformation import provisioners

LOCK = """<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
<Mode>{Mode}</Mode><Days>{Days}</Days></DefaultRetention></Rule></ObjectLockConfiguration>"""


def install():
    """Puts them among the emulator's own."""
    known = provisioners._RESOURCE_HANDLERS
    known["AWS::EC2::SecurityGroupIngress"] = {"create": _ingress, "delete": _nothing}
    known["AWS::EC2::SecurityGroupEgress"] = {"create": _egress, "delete": _nothing}
    known["AWS::Events::EventBusPolicy"] = {"create": _bus_policy, "update": _other_bus_policy, "delete": _nothing}
    bucket = dict(known["AWS::S3::Bucket"])
    bucket["create"] = _locked(bucket["create"])
    known["AWS::S3::Bucket"] = bucket
    alarm = dict(known["AWS::CloudWatch::Alarm"])
    alarm["create"] = _without_mathematics(alarm["create"])
    known["AWS::CloudWatch::Alarm"] = alarm


def _locked(create):
    def create_bucket(logical_id, props, stack_name):
        name, facts = create(logical_id, props, stack_name)
        retention = props.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
        if retention:
            _done(s3._put_object_lock_configuration(name, LOCK.format(**retention).encode()))
        return name, facts

    return create_bucket


def _without_mathematics(create):
    def create_alarm(logical_id, props, stack_name):
        if "Metrics" not in props:
            return create(logical_id, props, stack_name)
        # Nobody here computes with metrics: it is there by name and never goes off.
        name = props.get("AlarmName") or f"{stack_name}-{logical_id}"
        return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}

    return create_alarm


def _ingress(logical_id, props, stack_name):
    return _rule(ec2._authorize_sg_ingress, props, props.get("SourceSecurityGroupId"))


def _egress(logical_id, props, stack_name):
    return _rule(ec2._authorize_sg_egress, props, props.get("DestinationSecurityGroupId"))


def _rule(authorize, props, group):
    wanted = {"GroupId": props["GroupId"], "IpPermissions.1.IpProtocol": str(props["IpProtocol"])}
    for name in ("FromPort", "ToPort"):
        if name in props:
            wanted[f"IpPermissions.1.{name}"] = str(props[name])
    if group:
        wanted["IpPermissions.1.Groups.1.GroupId"] = group
    if "CidrIp" in props:
        wanted["IpPermissions.1.IpRanges.1.CidrIp"] = props["CidrIp"]
    if "DestinationPrefixListId" in props:
        wanted["IpPermissions.1.PrefixListIds.1.PrefixListId"] = props["DestinationPrefixListId"]
    _done(authorize(wanted))
    return f"sgr-{new_uuid()[:17]}", {}


def _bus_policy(logical_id, props, stack_name):
    bus = props.get("EventBusName", "default").rsplit("/", 1)[-1]
    if statement := props.get("Statement"):
        statements = statement if isinstance(statement, list) else [statement]
        arn = f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{bus}"
        policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
        for one in statements:
            policy["Statement"].append({"Resource": arn, "Sid": props["StatementId"], **json.loads(json.dumps(one))})
        eventbridge._event_bus_policies[bus] = policy
    else:
        _done(eventbridge._put_permission(props))
    return f"{bus}|{props['StatementId']}", {}


def _other_bus_policy(physical_id, old, new, stack_name):
    bus = old.get("EventBusName", "default").rsplit("/", 1)[-1]
    policy = eventbridge._event_bus_policies[bus]
    policy["Statement"] = [one for one in policy["Statement"] if one.get("Sid") != old["StatementId"]]
    return _bus_policy(physical_id, new, stack_name)


def _nothing(physical_id, props):
    """They go with what they belong to."""


def _done(answer):
    if answer[0] >= 400:
        raise ValueError(answer[2].decode() if isinstance(answer[2], bytes) else str(answer[2]))
