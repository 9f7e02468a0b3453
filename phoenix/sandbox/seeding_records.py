"""Build the example fleet behind two load balancers: weighted records of one name, one for each slot.

Builds only; `seed` defines the fleets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phoenix.sandbox.seeding import MAY_BE_CHANGED, Builder

ZONE = "Z0SANDBOXEXAMPLE"
"""The hosted zone's id: a policy has to name it, so it is always the same."""
DOMAIN = "example.com"
BALANCERS_ZONE = "Z32O12XQLNTSW2"
"""The hosted zone of Application Load Balancers' names in eu-west-1 (Elastic Load Balancing endpoints and quotas)."""


def hosted_zone(builder: Builder) -> str:
    """A public hosted zone that phoenix may change records in; there is one."""
    backend = builder.world.route53()
    route53: Any = builder.session.client("route53")
    if ZONE not in backend.zones:
        made = route53.create_hosted_zone(Name=DOMAIN, CallerReference=DOMAIN)["HostedZone"]["Id"]
        zone = backend.zones.pop(made.rpartition("/")[2])
        zone.resource_id = ZONE
        backend.zones[ZONE] = zone
        route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=ZONE, AddTags=MAY_BE_CHANGED)
    return ZONE


def weighted_aliases(builder: Builder, name: str, balancers: Mapping[str, str]) -> None:
    """For each slot's load balancer (name in DNS) an A and an AAAA record; blue has all of the weight."""
    route53: Any = builder.session.client("route53")
    records = [
        {
            "Name": name,
            "Type": kind,
            "SetIdentifier": slot,
            "Weight": 100 if slot == "blue" else 0,
            "AliasTarget": {
                "HostedZoneId": BALANCERS_ZONE,
                "DNSName": f"dualstack.{balancer}.",
                "EvaluateTargetHealth": False,
            },
        }
        for kind in ("A", "AAAA")
        for slot, balancer in balancers.items()
    ]
    changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
    route53.change_resource_record_sets(HostedZoneId=hosted_zone(builder), ChangeBatch={"Changes": changes})
