#!/bin/bash
# bench/redact.sh [FILE…]: how fast the redactor reads log lines, beside what this machine can do at
# all, in one run: memchr, a byte-by-byte pass, and grep -F for one word. With FILEs, what it would
# change in them. Ends with 1 below 100 MB/s.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc -std=gnu17 -D_GNU_SOURCE -O2 -g -Isrc -I. bench/redact/speed.c src/base/redact*.c src/base/str*.c \
	src/base/arena.c src/base/err.c -o "$dir/speed" -lsodium -lpthread -lm
for file in "$@"; do
	echo "$file"
	"$dir/speed" "$file"
done
if [ $# = 0 ]; then
	yes "2026-11-24T10:11:12Z INFO [main] request 4711 served in 12 ms from 192.168.1.50" |
		head -c 100000000 >"$dir/log" || true
	begun=$(date +%s%N)
	LC_ALL=C grep -cF "no such word" "$dir/log" || true
	echo "grep -F $((100000000000 / ($(date +%s%N) - begun))) MB/s"
	"$dir/speed"
fi
