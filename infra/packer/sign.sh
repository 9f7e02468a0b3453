#!/usr/bin/env bash
# Signs manifest.json of the last bake as SLSA provenance, and lays manifest and statement beside each image of it:
# AMI.manifest.json and AMI.intoto.json. What phoenix verifies: docs/operations.md.
set -euo pipefail

: "${COSIGN_KEY:?a file, or awskms:///alias/name}" "${STATEMENTS:?s3://bucket/prefix/}" "${BUILDER:?who bakes, as an address}"
manifest="${1:-manifest.json}"
work="$(mktemp --directory)"
trap 'rm --force --recursive "${work}"' EXIT

jq --arg builder "${BUILDER}" '
  .last_run_uuid as $run | last(.builds[] | select(.packer_run_uuid == $run)) | {
    buildDefinition: {
      buildType: "https://developer.hashicorp.com/packer",
      externalParameters: .custom_data,
      resolvedDependencies: [{
        uri: ("git+" + .custom_data.repository),
        digest: {gitCommit: .custom_data.commit}
      }]
    },
    runDetails: {builder: {id: $builder}, metadata: {invocationId: $run}}
  }' "${manifest}" >"${work}/predicate.json"

cosign attest-blob --yes --tlog-upload=false --new-bundle-format --key "${COSIGN_KEY}" \
  --type slsaprovenance1 --predicate "${work}/predicate.json" --bundle "${work}/statement.json" "${manifest}" >/dev/null

images="$(jq --raw-output '
  .last_run_uuid as $run | .builds[] | select(.packer_run_uuid == $run)
  | .artifact_id | split(",")[] | split(":")[1]' "${manifest}")"
for image in ${images}; do
  aws s3 cp --only-show-errors "${manifest}" "${STATEMENTS%/}/${image}.manifest.json"
  aws s3 cp --only-show-errors "${work}/statement.json" "${STATEMENTS%/}/${image}.intoto.json"
done
