#!/usr/bin/env bash
# What does not answer here will not answer behind a load balancer either: then there is to be no image.
set -euo pipefail

systemctl start nginx
curl --fail --silent --show-error --retry 10 --retry-connrefused --retry-delay 1 --max-time 5 \
  --output /dev/null http://127.0.0.1:8080/healthz
jq --exit-status '.commit == env.COMMIT' /etc/image-release.json >/dev/null
systemctl stop nginx
