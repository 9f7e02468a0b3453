#!/usr/bin/env bash
# Puts the application in. Runs as root on the machine that becomes the image.
set -euo pipefail

: "${ARTIFACT:?}" "${ARTIFACT_SHA256:?}" "${SERVICE:?}" "${VERSION:?}" "${COMMIT:?}" "${BUILT_AT:?}" "${BUILT_BY:?}"

echo "${ARTIFACT_SHA256}  ${ARTIFACT}" | sha256sum --check --quiet

dnf --assumeyes --quiet upgrade --security
dnf --assumeyes --quiet install nginx jq

install --directory --mode=0755 /srv/web
tar --extract --gzip --no-same-owner --file "${ARTIFACT}" --directory /srv/web
install --mode=0644 /tmp/web.conf /etc/nginx/conf.d/web.conf
nginx -t -q
systemctl enable nginx

# A person who logs in leaves a server that is like no other: it says so, and is replaced.
install --mode=0755 /tmp/taint-on-login.sh /usr/local/sbin/phoenix-taint
install --mode=0644 /tmp/phoenix-taint.sh /etc/profile.d/phoenix-taint.sh

jq --null-input '{
  service: env.SERVICE, version: env.VERSION, commit: env.COMMIT,
  built_at: env.BUILT_AT, built_by: env.BUILT_BY, artifact_sha256: env.ARTIFACT_SHA256
}' >/etc/image-release.json
