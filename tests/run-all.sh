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

# Two at a time: much of it waits for other programs. The tests of one file stay together, since they share peers,
# ports and what is dear to set up.
echo "== Python tests"
exec $bin/pytest -q -n 2 --dist loadfile --durations=15 tests
