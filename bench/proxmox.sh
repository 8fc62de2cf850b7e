#!/bin/bash
# bench/proxmox.sh [ROUNDS [LOOKS]]: what one look at a Proxmox VE cluster costs with 100, 1,000 and 10,000 guests:
# the answer's bytes, processor time (median and worst of ROUNDS, 51), what is kept of it, the process's
# memory at its peak and after the look, and how much it grew from the first round to the last. Ends with
# 1 when a limit is passed: 3 ms for 100 guests, 150 ms for 10,000, 16 MiB after the look, 1 MiB of growth.
# Then the same client over TLS against the simulated cluster of 32 nodes, both in one process: processor
# time of a look on each side, memory after a look, and its growth over LOOKS (1,000); limit 2 MiB.
set -eu
rounds=${1:-51}
looks=${2:-1000}
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
base=(src/base/*.c)
cc -std=gnu17 -D_GNU_SOURCE -O2 -g -Isrc -I. bench/proxmox/look.c src/client/proxmox*.c "${base[@]}" \
	-o "$dir/look" -lcurl -lssl -lcrypto -lmicrohttpd -lyaml -lsodium -lpthread -lm
echo "$(nproc) cores, $rounds rounds"
printf '%7s  %9s  %9s  %9s  %9s  %9s  %9s  %9s\n' guests bytes "CPU ms" "worst ms" "kept KiB" "peak MiB" \
	"after MiB" "grew MiB"
for guests in 100 1000 10000; do
	"$dir/look" $guests "$rounds"
done | tee "$dir/table"
cc -std=gnu17 -D_GNU_SOURCE -O2 -g -Isrc -I. bench/proxmox/meet.c src/client/proxmox*.c sim/proxmox*.c \
	sim/server_tls.c "${base[@]}" -o "$dir/meet" -lcurl -lssl -lcrypto -lmicrohttpd -lyaml -lsodium -lpthread -lm
printf '\n%7s  %9s  %9s  %9s  %9s  %9s\n' guests bytes "client ms" "sim ms" "after MiB" "grew MiB"
for guests in 100 1000 10000; do
	"$dir/meet" $guests "$looks"
done | tee "$dir/met"
awk '$6 > 2 { bad = 1; print "too much: " $0 } END { exit bad }' "$dir/met"
awk '$1 == 100 && $3 > 3 || $1 == 10000 && $3 > 150 || $7 > 16 || $8 > 1 { bad = 1; print "too much: " $0 }
	END { exit bad }' "$dir/table"
