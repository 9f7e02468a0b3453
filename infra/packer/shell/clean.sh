#!/usr/bin/env bash
# What must not be the same on every instance, and what nobody needs.
set -euo pipefail

dnf clean all --quiet
cloud-init clean --logs --seed
rm --force --recursive /var/log/nginx/* /var/tmp/*
rm --force /etc/ssh/ssh_host_* ~root/.bash_history
truncate --size=0 /etc/machine-id
