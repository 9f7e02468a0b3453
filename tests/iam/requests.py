"""API calls as IAM sees them: which actions on which resources, with which condition keys.

What AWS asks besides the call's own name is in here too: a launch template that is given to a group is a launch by
its giver, down to the role that its instances get. Keys are those of the Service Authorization Reference, and
no others: a condition on a key that AWS does not send would never hold there, so it must not hold here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.iam.asked import ACCOUNT, Account, Asked, arn, resource_tags, with_key
from tests.iam.evaluator import Context, Request


def requests_for(account: Account, asked: Asked) -> Iterator[Request]:
    """Everything that has to be allowed for this call."""
    special = _SPECIAL.get(asked.action)
    if special is not None:
        yield from special(account, asked)
    else:
        yield Request(asked.action)


# --- calls that are about a resource ----------------------------------------------------------------------------------


def _change_group(account: Account, asked: Asked) -> Iterator[Request]:
    name = asked.params.get("AutoScalingGroupName") or asked.group
    assert name is not None, f"whose instance is that? {asked}"
    resource, context = account.on_group(name)
    policy = asked.params.get("MixedInstancesPolicy")
    chosen = policy["LaunchTemplate"]["LaunchTemplateSpecification"] if policy else asked.params.get("LaunchTemplate")
    if chosen is None:
        # AWS does not document whether the key is absent or false then. Either has to be allowed.
        yield Request(asked.action, resource, context)
        yield Request(asked.action, resource, {**context, "autoscaling:LaunchTemplateVersionSpecified": "false"})
        return
    numbered = str(str(chosen.get("Version", "$Default")).isdigit()).lower()
    yield Request(asked.action, resource, {**context, "autoscaling:LaunchTemplateVersionSpecified": numbered})
    subnets = account.groups[name]["VPCZoneIdentifier"].split(",")
    yield from _launch(account, {"LaunchTemplate": chosen, "SubnetId": subnets[0]})


def _tag_groups(account: Account, asked: Asked) -> Iterator[Request]:
    keys = tuple(dict.fromkeys(tag["Key"] for tag in asked.params["Tags"]))
    for name in dict.fromkeys(tag["ResourceId"] for tag in asked.params["Tags"]):
        resource, context = account.on_group(name)
        yield Request(asked.action, resource, {**context, "aws:TagKeys": keys})


def _shift(account: Account, asked: Asked) -> Iterator[Request]:
    names = ("RuleArn", "ListenerArn", "TargetGroupArn")
    resource = next(asked.params[name] for name in names if name in asked.params)
    yield Request(asked.action, *account.on_balancing(resource))


def _make_rule(account: Account, asked: Asked) -> Iterator[Request]:
    """The Service Authorization Reference has aws:RequestTag and aws:TagKeys for CreateRule, and asks for AddTags on
    the new rule, with CreateAction, where tags are given."""
    tags = {tag["Key"]: tag["Value"] for tag in asked.params.get("Tags", ())}
    given: Context = {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, "aws:TagKeys": tuple(tags)}
    listener, context = account.on_balancing(asked.params["ListenerArn"])
    yield Request(asked.action, listener, {**context, **given})
    if tags:
        rule = f"{listener.replace(':listener/', ':listener-rule/')}/0123456789abcdef"
        created: Context = {**given, "elasticloadbalancing:CreateAction": "CreateRule"}
        yield Request("elasticloadbalancing:AddTags", rule, created)


def _remove_rule(account: Account, asked: Asked) -> Iterator[Request]:
    """One that is gone has no tags to ask for: those that it was made with."""
    resource = asked.params["RuleArn"]
    try:
        yield Request(asked.action, *account.on_balancing(resource))
    except ClientError:
        yield Request(asked.action, resource, resource_tags({"phoenix:rotation": "web-2-test"}))


def _make_version(account: Account, asked: Asked) -> Iterator[Request]:
    yield Request(asked.action, *account.on_template(asked.params["LaunchTemplateId"]))


def _run(account: Account, asked: Asked) -> Iterator[Request]:
    yield from _launch(account, asked.params)


def _launch(account: Account, params: Mapping[str, Any]) -> Iterator[Request]:
    """A launch touches all that its machine is made of. What the caller chose is no resource of the template."""
    chosen = params["LaunchTemplate"]
    content = account.content(chosen["LaunchTemplateId"], str(chosen.get("Version", "$Default")))
    template, tagged = account.on_template(chosen["LaunchTemplateId"])
    run, launched = "ec2:RunInstances", {"ec2:LaunchTemplate": template}

    def of(given: object) -> dict[str, str]:
        return {**launched, "ec2:IsLaunchTemplateResource": str(not given).lower()}

    image = params.get("ImageId") or content["ImageId"]
    yield Request(run, template, tagged)
    owner = {"ec2:Owner": account.owners.get(image, ACCOUNT)}
    yield Request(run, arn("ec2", f"image/{image}", account=""), {**of(params.get("ImageId")), **owner})
    yield Request(run, arn("ec2", "instance/*"), of(params.get("InstanceType")))
    yield Request(run, arn("ec2", "volume/*"), of(None))
    yield Request(run, arn("ec2", "network-interface/*"), of(params.get("NetworkInterfaces")))
    yield Request(run, arn("ec2", f"subnet/{params.get('SubnetId', 'subnet-1')}"), of(params.get("SubnetId")))
    for group in content.get("SecurityGroupIds", ()):
        yield Request(run, arn("ec2", f"security-group/{group}"), of(params.get("NetworkInterfaces")))
    if "KeyName" in content:
        yield Request(run, arn("ec2", f"key-pair/{content['KeyName']}"), of(None))
    yield from _implied(
        {**content, "TagSpecifications": [*content.get("TagSpecifications", ()), *params.get("TagSpecifications", ())]}
    )


def _implied(content: Mapping[str, Any]) -> Iterator[Request]:
    for each in content.get("TagSpecifications", ()):
        keys = tuple(tag["Key"] for tag in each["Tags"])
        context: Context = {"ec2:CreateAction": "RunInstances", "aws:TagKeys": keys}
        yield Request("ec2:CreateTags", arn("ec2", f"{each['ResourceType']}/*"), context)
    profile = content.get("IamInstanceProfile")
    if profile is not None:
        yield Request(
            "iam:PassRole",
            arn("iam", f"role/{profile.get('Name') or profile['Arn'].rpartition('/')[2]}", region=""),
            {"iam:PassedToService": "ec2.amazonaws.com"},
        )


def _change_records(account: Account, asked: Asked) -> Iterator[Request]:
    """The keys and how their values are written: "Using IAM policy conditions for fine-grained access control to manage
    resource record sets". Each has a value for every change."""
    changes = asked.params["ChangeBatch"]["Changes"]
    zone = str(asked.params["HostedZoneId"]).rpartition("/")[2]
    names = (str(each["ResourceRecordSet"]["Name"]).lower().removesuffix(".") for each in changes)
    context: Context = {
        f"{asked.action}NormalizedRecordNames": tuple(dict.fromkeys(names)),
        f"{asked.action}RecordTypes": tuple(dict.fromkeys(each["ResourceRecordSet"]["Type"] for each in changes)),
        f"{asked.action}Actions": tuple(dict.fromkeys(each["Action"] for each in changes)),
    }
    yield Request(asked.action, f"arn:aws:route53:::hostedzone/{zone}", context)


def _on_parameter(account: Account, asked: Asked) -> Iterator[Request]:
    yield Request(asked.action, arn("ssm", f"parameter/{asked.params['Name'].strip('/')}"))


def _on_table(account: Account, asked: Asked) -> Iterator[Request]:
    tables = [asked.params["TableName"]] if "TableName" in asked.params else list(asked.params["RequestItems"])
    index = f"/index/{asked.params['IndexName']}" if "IndexName" in asked.params else ""
    for table in tables:
        yield Request(asked.action, arn("dynamodb", f"table/{table}{index}"))
    writes = asked.operation == "PutItem"
    yield from with_key("dynamodb", "Decrypt", "DescribeKey", *(("Encrypt", "GenerateDataKey") if writes else ()))


def _on_bucket(account: Account, asked: Asked) -> Iterator[Request]:
    context: Context = {"s3:prefix": asked.params["Prefix"]} if "Prefix" in asked.params else {}
    yield Request(asked.action, f"arn:aws:s3:::{asked.params['Bucket']}", context)


def _on_object(account: Account, asked: Asked) -> Iterator[Request]:
    yield Request(asked.action, f"arn:aws:s3:::{asked.params['Bucket']}/{asked.params['Key']}")
    yield from with_key("s3", "Decrypt")


def _on_topic(account: Account, asked: Asked) -> Iterator[Request]:
    yield Request(asked.action, asked.params["TopicArn"])
    yield from with_key("sns", "Decrypt", "GenerateDataKey")


def _on_bus(account: Account, asked: Asked) -> Iterator[Request]:
    for entry in asked.params["Entries"]:
        yield Request(
            asked.action, arn("events", f"event-bus/{entry['EventBusName']}"), {"events:source": entry["Source"]}
        )


def _on_function(account: Account, asked: Asked) -> Iterator[Request]:
    name = asked.params["FunctionName"]
    yield Request(asked.action, name if name.startswith("arn:") else arn("lambda", f"function:{name}"))


def _on_cluster(account: Account, asked: Asked) -> Iterator[Request]:
    names = asked.params.get("clusters") or [asked.params["cluster"]]
    yield from (Request(asked.action, arn("ecs", f"cluster/{name}")) for name in names)


def _on_containers(account: Account, asked: Asked) -> Iterator[Request]:
    yield from (Request(asked.action, each) for each in asked.params["containerInstances"])


def _on_documents(account: Account, asked: Asked) -> Iterator[Request]:
    name = asked.params.get("DocumentName") or asked.params["Name"]
    yield Request(asked.action, arn("ssm", f"document/{name}", account="" if name.startswith("AWS-") else ACCOUNT))
    yield from (Request(asked.action, arn("ec2", f"instance/{each}")) for each in asked.params.get("InstanceIds", ()))


def _on_service(account: Account, asked: Asked) -> Iterator[Request]:
    """Cloud Map writes the records as its caller."""
    yield Request(asked.action, arn("servicediscovery", f"service/{asked.params['ServiceId']}"))
    zone = "arn:aws:route53:::hostedzone/Z0123456789"
    via: Context = {"aws:ViaAWSService": "true"}
    yield from (Request(f"route53:{call}", zone, via) for call in ("GetHostedZone", "ChangeResourceRecordSets"))
    yield Request("route53:ListHostedZonesByName", context=via)


_SERVICE_CALLS = ("DeregisterInstance", "RegisterInstance")
_GROUP_CALLS = (
    "CompleteLifecycleAction",
    "DeleteLifecycleHook",
    "EnterStandby",
    "ExitStandby",
    "PutLifecycleHook",
    "ResumeProcesses",
    "SetInstanceHealth",
    "SuspendProcesses",
    "TerminateInstanceInAutoScalingGroup",
    "UpdateAutoScalingGroup",
)
_TABLE_CALLS = ("BatchGetItem", "DescribeTable", "GetItem", "PutItem", "Query")


def _tag_instances(account: Account, asked: Asked) -> Iterator[Request]:
    keys = tuple(dict.fromkeys(tag["Key"] for tag in asked.params["Tags"]))
    for resource in asked.params["Resources"]:
        yield Request(asked.action, arn("ec2", f"instance/{resource}"), {"aws:TagKeys": keys})


_SPECIAL: Mapping[str, Callable[[Account, Asked], Iterator[Request]]] = {
    **{f"autoscaling:{call}": _change_group for call in _GROUP_CALLS},
    "autoscaling:CreateOrUpdateTags": _tag_groups,
    "autoscaling:DeleteTags": _tag_groups,
    "elasticloadbalancing:CreateRule": _make_rule,
    "elasticloadbalancing:DeleteRule": _remove_rule,
    "elasticloadbalancing:ModifyListener": _shift,
    "elasticloadbalancing:ModifyRule": _shift,
    "elasticloadbalancing:ModifyTargetGroupAttributes": _shift,
    "ec2:CreateLaunchTemplateVersion": _make_version,
    "ec2:DeleteLaunchTemplateVersions": _make_version,
    "ec2:CreateTags": _tag_instances,
    "ec2:DeleteTags": _tag_instances,
    "ec2:RunInstances": _run,
    "route53:ChangeResourceRecordSets": _change_records,
    "lambda:GetFunctionConfiguration": _on_function,
    "lambda:InvokeFunction": _on_function,
    "ecs:DescribeClusters": _on_cluster,
    "ecs:DescribeContainerInstances": _on_containers,
    "ecs:ListContainerInstances": _on_cluster,
    "ecs:UpdateContainerInstancesState": _on_containers,
    "ssm:DescribeDocument": _on_documents,
    "ssm:GetParameter": _on_parameter,
    "ssm:SendCommand": _on_documents,
    **{f"dynamodb:{call}": _on_table for call in _TABLE_CALLS},
    "s3:ListBucket": _on_bucket,
    "s3:GetObject": _on_object,
    **{f"servicediscovery:{call}": _on_service for call in _SERVICE_CALLS},
    "sns:Publish": _on_topic,
    "events:PutEvents": _on_bus,
}
