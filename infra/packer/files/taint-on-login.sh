#!/usr/bin/env bash
# Tags this instance as changed by hand: phoenix:tainted, with when, who and from where. Run in the background by
# /etc/profile.d/phoenix-taint.sh when a person logs in. Whatever goes wrong, it ends quietly and within seconds.
set -uo pipefail

metadata=http://169.254.169.254/latest

ask() {
  curl --silent --fail --noproxy '*' --max-time 2 "$@"
}

token=$(ask --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "${metadata}/api/token") || exit 0
instance=$(ask --header "X-aws-ec2-metadata-token: ${token}" "${metadata}/meta-data/instance-id") || exit 0
region=$(ask --header "X-aws-ec2-metadata-token: ${token}" "${metadata}/meta-data/placement/region") || exit 0

who=$(id --user --name) || who=unknown
from=${SSH_CONNECTION:-}
why="logged in${from:+ from ${from%% *}}"
now=$(date --utc +%Y-%m-%dT%H:%M:%SZ) || exit 0
# The letters that a tag takes, and no quote among them: the value goes into JSON.
value=$(printf '%s' "${now} ${who} ${why}" | tr --complement 'A-Za-z0-9 _.:/=+@-' _ | cut --characters=-256) || exit 0

timeout 20 aws ec2 create-tags --region "${region}" --resources "${instance}" \
  --cli-connect-timeout 3 --cli-read-timeout 5 \
  --tags "[{\"Key\":\"phoenix:tainted\",\"Value\":\"${value}\"}]" >/dev/null 2>&1
exit 0
