#!/usr/bin/env bash
# The way of a mapping, from a domain to a request, with no edit in between: pull, init, check, test, render.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp -d)
cargo build --locked --quiet --package cases-emulator --package casebridge-cli
exec {emulator}< <(exec cargo run --locked --quiet --package cases-emulator -- --domain domain.json --port 0 --rate-limits)
trap 'kill $! 2>/dev/null || true; rm -rf "$folder"' EXIT
read -r address <&"$emulator"
[[ $address =~ http://[^[:space:]]+ ]]
export AWS_ENDPOINT_URL_CONNECTCASES=${BASH_REMATCH[0]} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

casebridge() {
  printf '$ cargo casebridge %s\n' "${*//$folder/FOLDER}"
  cargo run --locked --quiet --package casebridge-cli -- "$@" | sed "s|$folder|FOLDER|g"
}

casebridge pull --output "$folder/domain.json"
cmp domain.json "$folder/domain.json"
casebridge pull --output "$folder/domain.json" --check
casebridge init "Order problem" --domain "$folder/domain.json" --trigger eventbridge --output "$folder/mapping.yaml" --test
made=(--mapping "$folder/mapping.yaml" --domain "$folder/domain.json")
casebridge check "${made[@]}" --deny-warnings
casebridge test "${made[@]}"
event='{"id": "1", "source": "com.example.app", "detail-type": "Order problem", "detail": {"title": "An order", "order_number": "A-1"}}'
casebridge render "${made[@]}" - <<<"$event" | grep customEntity
echo "from a domain to a request without an edit"
