#!/bin/bash
# bench/diagnose.sh [-v]: 80 faults with known causes and 20 controls without a fault, played through the
# whole daemon on simulated worlds (bench/diagnose/faults.txt), with rules alone, with a model that is
# right, one that is wrong and one that gives no answer. Nobody approves anything.
#   healed    of the faults that heal without a person: seen healthy again
#   asked     of those that need a person: asked or told
#   causes    of the known causes: named as what they were
#   wrong     actions on anything else, or that nothing called for; controls: those that were touched
#   repair    mean time from the failure to RESOLVED, the settle time of 10 s included
# The lines of the log were written by who wrote the rules: "causes" of rules alone says what they
# know, not how often a homelab's own lines are among it. 12 rows are lines that the rules do not know.
# -v prints what became of each. The exit code is 1 when there was a wrong action.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build-bench}
[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=debugoptimized >/dev/null
ninja -C "$build" --quiet tests/bench_diagnose >/dev/null
printf '%-7s %6s %8s %9s %10s %6s %12s %8s %9s %8s %7s %9s\n' model faults healed asked causes wrong \
	controls "repair s" questions "tok. in" out "cost \$"
code=0
for mode in rules right wrong absent; do
	"$build/tests/bench_diagnose" "$mode" "$@" || code=1
done
exit $code
