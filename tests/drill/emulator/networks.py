"""What the emulator keeps to itself of a network: an endpoint's security groups, whether a service's own name leads to it, rules
for prefix lists, and where a function of a stack is.
"""

from ministack.services import ec2, lambda_svc
from ministack.services.cloudformation import provisioners


def install():
    """Puts them into the emulator's answers."""
    plain = ec2._vpce_fields_xml

    def whole(endpoint, tag="item"):
        groups = "".join(f"<item><groupId>{group}</groupId></item>" for group in endpoint.get("SecurityGroupIds", []))
        private = "true" if endpoint.get("PrivateDnsEnabled") in (True, "true") else "false"
        more = f"<groupSet>{groups}</groupSet><privateDnsEnabled>{private}</privateDnsEnabled>"
        return plain(endpoint, tag).removesuffix(f"</{tag}>") + f"{more}</{tag}>"

    ec2._vpce_fields_xml = whole
    parse = ec2._parse_ip_permissions

    def parsed(parameters, prefix):
        rules = parse(parameters, prefix)
        for number, rule in enumerate(rules, 1):
            if found := ec2._p(parameters, f"{prefix}.{number}.PrefixListIds.1.PrefixListId"):
                rule["PrefixListIds"] = [{"PrefixListId": found}]
        return rules

    ec2._parse_ip_permissions = parsed
    function = dict(provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"])
    create = function["create"]

    def created(logical_id, props, stack_name):
        made = create(logical_id, props, stack_name)
        told = props.get("VpcConfig")
        if told and isinstance(told["SubnetIds"], str):
            told = told | {"SubnetIds": told["SubnetIds"].split(",")}
        lambda_svc._functions[props["FunctionName"]]["config"]["VpcConfig"] = lambda_svc._vpc_config_with_id(told)
        return made

    function["create"] = created
    provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"] = function
