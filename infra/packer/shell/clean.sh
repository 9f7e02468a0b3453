#!/usr/bin/env bash
# Remove files that must differ on every instance, and files without a use.
set -euo pipefail

dnf clean all --quiet
cloud-init clean --logs --seed
rm --force --recursive /var/log/nginx/* /var/tmp/*
rm --force /etc/ssh/ssh_host_* ~root/.bash_history
truncate --size=0 /etc/machine-id
