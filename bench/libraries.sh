#!/bin/bash
# Which libraries read JSON and YAML: time, heap and memory left behind, in one run on this machine.
# Needs, beside what homeostat needs: libjansson-dev libcjson-dev libfyaml-dev libcyaml-dev python3.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

python3 - "$dir" <<'PY'
import json, sys
dir = sys.argv[1]
docker = [{
    "Id": f"{i:064x}", "Names": [f"/service-{i}"], "Image": f"registry.lan/app-{i % 50}:1.{i % 9}",
    "ImageID": "sha256:" + f"{i * 7:064x}", "Command": "/entrypoint.sh run --verbose",
    "Created": 1700000000 + i,
    "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8000 + i, "Type": "tcp"}],
    "Labels": {"com.docker.compose.project": f"p{i % 40}", "com.docker.compose.service": f"s{i}",
               "org.opencontainers.image.title": "app \"quoted\" \u00e9"},
    "State": "running", "Status": "Up 3 days (healthy)",
    "HostConfig": {"NetworkMode": "bridge"},
    "NetworkSettings": {"Networks": {"bridge": {"NetworkID": f"{i:064x}", "IPAddress": "172.17.0.2",
        "Gateway": "172.17.0.1", "MacAddress": "02:42:ac:11:00:02"}}}, "Mounts": []}
    for i in range(1150)]
open(dir + "/docker-list.json", "w").write(json.dumps(docker))
guests = {"data": [{
    "vmid": 100 + i, "id": f"qemu/{100 + i}", "type": "qemu", "node": f"pve{i % 20}",
    "name": f"guest-{i}", "status": "running", "template": 0, "uptime": 86400 + i,
    "cpu": 0.0123456789 + i / 1e6, "maxcpu": 4, "mem": 1234567890 + i, "maxmem": 4294967296,
    "disk": 0, "maxdisk": 34359738368, "netin": 987654321 + i, "netout": 123456789 + i,
    "diskread": 555555555 + i, "diskwrite": 444444444 + i, "pool": "production", "tags": "web;critical"}
    for i in range(10000)]}
open(dir + "/proxmox-guests.json", "w").write(json.dumps(guests, separators=(",", ":")))
with open(dir + "/many.yaml", "w") as f:
    f.write("docker:\n")
    for i in range(2000):
        f.write(f"  - name: host-{i}   # a comment\n    url: \"https://host-{i}.lan:2376\"\n")
PY

flags=(-std=gnu17 -D_GNU_SOURCE -O2 -Isrc -I.)
base=(src/base/err.c src/base/arena.c src/base/str.c src/base/json.c src/base/json_check.c
	src/base/json_text.c src/base/json_write.c)
cc "${flags[@]}" bench/libraries/json.c "${base[@]}" -o "$dir/json" -ljansson -lcjson -lm
cc "${flags[@]}" bench/libraries/yaml.c src/base/yaml.c src/base/err.c src/base/arena.c src/base/str.c \
	-o "$dir/yaml" -lyaml -lfyaml -lcyaml

for file in docker-list proxmox-guests; do
	echo "$file.json, $(stat -c %s "$dir/$file.json") bytes: parse and read, CPU, median of 15"
	for library in jsmn jansson cJSON; do
		"$dir/json" "$library" "$dir/$file.json"
	done
done
echo "many.yaml, $(stat -c %s "$dir/many.yaml") bytes, 2,000 sources: parse, CPU, median of 15"
for library in libyaml libfyaml libcyaml; do
	"$dir/yaml" "$library" "$dir/many.yaml"
done
echo "size of the shared libraries, bytes:"
for library in libyaml-0.so.2 libfyaml.so.0 libcyaml.so.1; do
	path=$(ldconfig -p | awk -v l="$library" '$1 == l {print $NF; exit}')
	printf '%-16s %8d\n' "$library" "$(stat -L -c %s "$path")"
done
