"""An account that costs nothing to ask: many groups at rest, answered over HTTP from texts made beforehand.

Runs as a program of its own, so that what AWS does is not counted as what phoenix does. `python -m tests.bench.cloud`
reads the record of a rotated group, prints its address and ends when its standard input does. It answers what a sweep
asks, in bodies as long as AWS's own, and counts what it was asked. Must never be used to prove that phoenix is right:
it believes everything it is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qs
from urllib.request import urlopen

from botocore import xform_name

from phoenix.core.model import Slot
from phoenix.core.record import GroupRecord
from phoenix.stores.codec import decode_record, encode_record
from tests.bench.arena import ROOT
from tests.bench.idle import ACCOUNT, INSTANCES, Idle, image_names, item_of, name_of, rotated, rule_names

LOOPBACK: Final = "127.0.0.1"
TALLY: Final = "/tally"
LAMBDA: Final = "/2015-03-31/functions/"

_IMAGE = """<item><imageId>{id}</imageId><imageLocation>{account}/{name}</imageLocation>
<imageState>available</imageState><imageOwnerId>{account}</imageOwnerId><creationDate>{created}</creationDate><isPublic>false</isPublic>
<architecture>x86_64</architecture><imageType>machine</imageType><name>{name}</name>
<platformDetails>Linux/UNIX</platformDetails><description>baked by the pipeline from base-2026.11.04</description>
<usageOperation>RunInstances</usageOperation>
<rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName><virtualizationType>hvm</virtualizationType>
<hypervisor>xen</hypervisor><enaSupport>true</enaSupport><sriovNetSupport>simple</sriovNetSupport>
<bootMode>uefi-preferred</bootMode><imdsSupport>v2.0</imdsSupport><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs>
<snapshotId>snap-0a1b2c3d4e5f60718</snapshotId><volumeSize>8</volumeSize><deleteOnTermination>true</deleteOnTermination>
<volumeType>gp3</volumeType><iops>3000</iops><throughput>125</throughput><encrypted>false</encrypted></ebs></item>
</blockDeviceMapping><tagSet>{tags}</tagSet></item>"""
_TAG = "<item><key>{}</key><value>{}</value></item>"
_RULE = """<member><RuleArn>{arn}</RuleArn><Priority>{priority}</Priority><IsDefault>{default}</IsDefault>
<Conditions>{conditions}</Conditions><Actions><member><Type>forward</Type><ForwardConfig><TargetGroups>
<member><TargetGroupArn>{live}</TargetGroupArn><Weight>100</Weight></member>
<member><TargetGroupArn>{other}</TargetGroupArn><Weight>0</Weight></member></TargetGroups>
<TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig></ForwardConfig></member></Actions></member>"""
_GROUP = """<member><AutoScalingGroupName>{name}</AutoScalingGroupName>
<AutoScalingGroupARN>{arn}</AutoScalingGroupARN>
<LaunchTemplate><LaunchTemplateId>lt-{name}</LaunchTemplateId><LaunchTemplateName>{name}</LaunchTemplateName>
<Version>2</Version></LaunchTemplate><MinSize>{least}</MinSize><MaxSize>{most}</MaxSize><DesiredCapacity>{count}</DesiredCapacity>
<DefaultCooldown>300</DefaultCooldown><AvailabilityZones><member>eu-west-1a</member></AvailabilityZones>
<TargetGroupARNs><member>{target}</member></TargetGroupARNs><TrafficSources><member><Identifier>{target}</Identifier>
<Type>elbv2</Type></member></TrafficSources><HealthCheckType>ELB</HealthCheckType>
<HealthCheckGracePeriod>300</HealthCheckGracePeriod><CreatedTime>2026-01-01T00:00:00Z</CreatedTime>
<Instances>{instances}</Instances><SuspendedProcesses/><Tags/></member>"""
_INSTANCE = """<member><InstanceId>i-{number:017x}</InstanceId><InstanceType>m7g.large</InstanceType>
<AvailabilityZone>eu-west-1a</AvailabilityZone><LifecycleState>InService</LifecycleState><HealthStatus>Healthy</HealthStatus>
<LaunchTemplate><LaunchTemplateId>lt-{name}</LaunchTemplateId><LaunchTemplateName>{name}</LaunchTemplateName>
<Version>2</Version></LaunchTemplate><ProtectedFromScaleIn>false</ProtectedFromScaleIn></member>"""
_CONDITION = """<member><Field>path-pattern</Field><Values><member>/api/*</member></Values>
<PathPatternConfig><Values><member>/api/*</member></Values></PathPatternConfig></member>"""
_EMPTY_TAGS = "<DescribeTagsResponse><DescribeTagsResult><Tags/></DescribeTagsResult></DescribeTagsResponse>"
_NO_INSTANCES = "<DescribeInstancesResponse><requestId>r</requestId><reservationSet/></DescribeInstancesResponse>"
_CALLER = (
    f"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
    "</GetCallerIdentityResponse>"
)


class Cloud:
    """What the account would answer."""

    def __init__(self, idle: Idle, rotated: GroupRecord) -> None:
        self.asked: Counter[str] = Counter()
        self._lock = Lock()
        self._items: dict[tuple[str, str], Any] = {}
        self._images: dict[str, str] = {}
        self._rules: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._fill(idle, rotated)

    def _fill(self, idle: Idle, rotated: GroupRecord) -> None:
        for number in range(idle.groups):
            item = item_of(idle, number, rotated)
            self._items[str(item["group"]), "record"] = {
                name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in item.items()
            }
            self._fill_groups(number, decode_record(str(item["body"]), "the bench"))
            for arn, (live, other) in rule_names(number).items():
                is_default = arn.count("/") == 4
                self._rules[arn] = _RULE.format(
                    arn=arn,
                    priority="default" if is_default else "10",
                    default=str(is_default).lower(),
                    conditions="" if is_default else _CONDITION,
                    live=live,
                    other=other,
                )
        for pattern, images in image_names(idle).items():
            self._images[pattern] = "".join(
                _IMAGE.format(
                    id=image.id,
                    account=ACCOUNT,
                    name=image.name,
                    created=image.created,
                    tags="".join(_TAG.format(key, value) for key, value in image.tags.items()),
                )
                for image in images
            )

    def _fill_groups(self, number: int, record: GroupRecord) -> None:
        """The pair: ten instances in the live slot, none in the other."""
        live, other = next(iter(rule_names(number).values()))
        assert record.rotation is not None
        for slot, target, count in ((Slot.GREEN, live, INSTANCES), (Slot.BLUE, other, 0)):
            name = f"{name_of(number)}-{slot.value}"
            instances = "".join(_INSTANCE.format(number=number * 100 + each, name=name) for each in range(count))
            self._groups[name] = _GROUP.format(
                name=name,
                arn=record.rotation.origin.arns[slot],
                least=count,
                most=count,
                count=count,
                target=target,
                instances=instances,
            )

    def answer(self, target: str, body: bytes, path: str) -> tuple[int, str]:
        """Status and text; `target` is what DynamoDB's protocol names the operation in."""
        if target:
            operation = target.partition(".")[2]
            self._count(f"dynamodb.{operation}")
            return 200, json.dumps(getattr(self, f"_{xform_name(operation)}")(json.loads(body)))
        if path.startswith(LAMBDA):
            self._count("lambda.Invoke")
            return 202, ""
        asked = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        self._count(f"{_service(asked)}.{asked['Action']}")
        return 200, getattr(self, f"_{xform_name(asked['Action'])}")(asked)

    def _count(self, operation: str) -> None:
        with self._lock:
            self.asked[operation] += 1

    def tally(self) -> str:
        """What was asked since the last time this was."""
        with self._lock:
            found, self.asked = self.asked, Counter()
        return json.dumps(found)

    # --- DynamoDB -----------------------------------------------------------------------------------------------------

    def _query(self, asked: Any) -> Any:
        until = asked["ExpressionAttributeValues"][":until"]["S"]
        due = sorted((item["due_at"]["S"], key) for key, item in self._items.items() if "due_at" in item)
        keys = [key for at, key in due if at <= until]
        return {"Items": [{"group": {"S": group}, "item": {"S": name}} for group, name in keys], "Count": len(keys)}

    def _get_item(self, asked: Any) -> Any:
        found = self._items.get((asked["Key"]["group"]["S"], asked["Key"]["item"]["S"]))
        return {"Item": found} if found is not None else {}

    def _put_item(self, asked: Any) -> Any:
        item = asked["Item"]
        self._items[item["group"]["S"], item["item"]["S"]] = item
        return {}

    def _batch_get_item(self, asked: Any) -> Any:
        ((table, request),) = asked["RequestItems"].items()
        keys = [(key["group"]["S"], key["item"]["S"]) for key in request["Keys"]]
        return {"Responses": {table: [self._items[key] for key in keys if key in self._items]}, "UnprocessedKeys": {}}

    # --- the others ---------------------------------------------------------------------------------------------------

    def _describe_images(self, asked: Mapping[str, str]) -> str:
        names = [value for key, value in asked.items() if key.startswith("Filter.1.Value.")]
        found = "".join(self._images.get(name, "") for name in names)
        return (
            f"<DescribeImagesResponse><requestId>r</requestId><imagesSet>{found}</imagesSet></DescribeImagesResponse>"
        )

    def _describe_rules(self, asked: Mapping[str, str]) -> str:
        found = "".join(self._rules[arn] for key, arn in asked.items() if key.startswith("RuleArns."))
        return (
            f"<DescribeRulesResponse><DescribeRulesResult><Rules>{found}</Rules></DescribeRulesResult>"
            "</DescribeRulesResponse>"
        )

    def _describe_auto_scaling_groups(self, asked: Mapping[str, str]) -> str:
        names = [name for key, name in asked.items() if key.startswith("AutoScalingGroupNames.")]
        found = "".join(self._groups.get(name, "") for name in names)
        return (
            "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups>"
            f"{found}</AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"
        )

    def _describe_tags(self, _: Mapping[str, str]) -> str:
        return _EMPTY_TAGS

    def _describe_instances(self, _: Mapping[str, str]) -> str:
        return _NO_INSTANCES

    def _get_caller_identity(self, _: Mapping[str, str]) -> str:
        return _CALLER


_SERVICES = {"2016-11-15": "ec2", "2011-01-01": "autoscaling", "2015-12-01": "elbv2", "2011-06-15": "sts"}


def _service(asked: Mapping[str, str]) -> str:
    return _SERVICES[asked["Version"]]


def _desk(cloud: Cloud) -> type[BaseHTTPRequestHandler]:
    class Desk(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(*cloud.answer(self.headers.get("X-Amz-Target") or "", body, self.path))

        def do_GET(self) -> None:
            self._answer(200, cloud.tally())

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0" if text[:1] == "{" else "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Desk


@contextmanager
def cloud_of(idle: Idle) -> Iterator[str]:
    """The address of such an account, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.cloud", str(idle.groups), str(idle.sharing)]
    program = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        program.stdin.write(encode_record(rotated()) + "\n")
        program.stdin.flush()
        yield program.stdout.readline().strip()
    finally:
        program.stdin.close()
        program.stdout.close()
        program.wait(10)


def tally(url: str) -> dict[str, int]:
    """What the account was asked since the last tally, by `service.Operation`."""
    with urlopen(url + TALLY) as answer:
        found: dict[str, int] = json.load(answer)
    return found


def main() -> None:
    """Answer until standard input ends."""
    groups, sharing = (int(word) for word in sys.argv[1:])
    cloud = Cloud(Idle(groups, sharing), decode_record(sys.stdin.readline(), "standard input"))
    server = ThreadingHTTPServer((LOOPBACK, 0), _desk(cloud))
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(f"http://{LOOPBACK}:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
