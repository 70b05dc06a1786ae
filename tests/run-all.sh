#!/bin/sh
# Every test, in the order in which a failure is cheapest to find. Stops at the first group that fails.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

# The sources are looked at while the agents are built: this one, its sanitised twin, those for other machines.
echo "== lint and types; the agent, sanitised too, with its own tests; the agents for other machines"
make --no-print-directory --jobs=2 --output-sync=target lint types agent-tests cross-tests

# What counts on a processor of its own runs alone: nothing may be lost at a rate, a figure of one run is held against
# that of another.
alone="tests/proofs tests/dataplane/test_replacement.py tests/commands/test_main_job.py
    tests/kernel/test_ike.py::test_rekeying_under_traffic_loses_nothing"
echo "== Python tests, one at a time"
# shellcheck disable=SC2086  a list of words
$bin/pytest -q --durations=10 $alone

# Four at a time, on two processors too: half of the time they wait for other programs. The tests of one file stay
# together, since they share peers, ports and what is dear to set up; the dearest files begin (tests/dearest_first.py).
echo "== Python tests, ${IPSECBENCH_TEST_WORKERS:=4} at a time"
ignored=$(for place in $alone; do
    case $place in *::*) printf -- '--deselect=%s ' "$place" ;; *) printf -- '--ignore=%s ' "$place" ;; esac
done)
# shellcheck disable=SC2086
exec $bin/pytest -q -n "$IPSECBENCH_TEST_WORKERS" --dist loadfile --durations=40 $ignored tests
