#!/bin/sh
# Every test, in the order in which a failure is cheapest to find. Stops at the first group that fails.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

echo "== lint and types"
make --no-print-directory lint types

echo "== the agent: build, sanitised build, its own tests"
make --no-print-directory -C agent all sanitize
make --no-print-directory -C agent check

echo "== Python tests"
exec $bin/pytest -q --durations=10 tests
