# shellcheck shell=bash
# A private Docker engine in a temporary folder D, with its socket E, images, certificates, and a
# recorder of its events (D/events). Sourced by run and by the benchmarks.

say() { echo "# $*"; }

die() {
	say "$*"
	exit 1
}

skip() {
	echo "# skip: $*"
	exit 77
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# wait_until SECONDS WHAT COMMAND…: polls; a claim that waits in vain fails with WHAT.
wait_until() {
	local deadline=$(($(now_ms) + $1 * 1000)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ -f "${A:-}/pid" ] && is_gone "$(cat "$A/pid")"; then
			die "homeostat ended while waiting for this: $what"
		fi
		if [ "$(now_ms)" -gt "$deadline" ]; then
			die "not in time: $what"
		fi
		sleep 0.05
	done
}

is() { [ "$1" = "$2" ]; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# end_process PID SECONDS: asks, waits, then makes sure.
end_process() {
	local deadline=$(($(now_ms) + $2 * 1000))
	kill "$1" 2>/dev/null || return 0
	while kill -0 "$1" 2>/dev/null; do
		if [ "$(now_ms)" -gt "$deadline" ]; then
			kill -9 "$1" 2>/dev/null || true
			return 1
		fi
		sleep 0.05
	done
}

engine() { docker -H "unix://$E" "$@"; }

engine_answers() { curl -sf --max-time 2 --unix-socket "$E" http://engine/_ping; }

# The engine's containerd is a service of its own, as on a real host: it and the containers' monitors
# survive when the engine is killed.
containerd_start() {
	printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >"$D/containerd.toml"
	setsid containerd --config "$D/containerd.toml" --root "$D/containerd" --state "$D/c-run" \
		--address "$D/c.sock" --log-level warn >>"$D/containerd.log" 2>&1 &
	echo $! >"$D/containerd.pid"
}

# Starts the engine and a recorder of its events.
engine_start() {
	local tls=()
	if [ -f "$D/tls/port" ]; then
		tls=(-H "tcp://127.0.0.1:$(cat "$D/tls/port")" --tlsverify --tlscacert "$D/tls/ca.pem"
			--tlscert "$D/tls/server.pem" --tlskey "$D/tls/server.key")
	fi
	rm -f "$D/docker.pid"
	setsid dockerd --config-file "$D/daemon.json" --data-root "$D/data" --exec-root "$D/exec" \
		--pidfile "$D/docker.pid" -H "unix://$E" "${tls[@]}" --bridge=none --iptables=false \
		--storage-driver="$DRIVER" --containerd "$D/c.sock" >>"$D/dockerd.log" 2>&1 &
	echo $! >"$D/dockerd"
	local deadline=$(($(now_ms) + 40000))
	until engine_answers >/dev/null; do
		if is_gone "$(cat "$D/dockerd")" || [ "$(now_ms)" -gt "$deadline" ]; then
			return 1
		fi
		sleep 0.05
	done
	curl -sN --unix-socket "$E" "http://engine/events" >>"$D/events" 2>/dev/null &
	echo $! >"$D/recorder"
}

# engine_end SIGNAL: the containers' own monitors are left to what comes next.
engine_end() {
	local pid
	pid=$(cat "$D/dockerd")
	kill "-$1" "$pid"
	wait_until 30 "the engine ends" is_gone "$pid"
	end_process "$(cat "$D/recorder")" 2 || true
}

# starts NAME: how often the engine has started a container of this name. By grep, for this is polled.
starts() {
	grep -c "\"Action\":\"start\",.*\"name\":\"$1\"" "$D/events" || true
}

started_times() { is "$(starts "$1")" "$2"; }

container() { engine inspect -f "$2" "$1"; }
is_running() { is "$(container "$1" '{{.State.Running}}')" true; }
is_stopped() { is "$(container "$1" '{{.State.Running}}')" false; }
is_health() { is "$(container "$1" '{{.State.Health.Status}}')" "$2"; }

# Processes of this run that are still there are known by the folder in their command line.
# shellcheck disable=SC2317
leftovers() {
	local entry
	for entry in /proc/[0-9]*; do
		if [ "${entry#/proc/}" != $$ ] &&
			tr '\0' ' ' 2>/dev/null <"$entry/cmdline" | grep -qF -- "$D/"; then
			echo "${entry#/proc/}"
		fi
	done
}

# shellcheck disable=SC2317
engine_take_down() {
	local pid
	if [ -f "$D/dockerd" ]; then
		if engine_answers >/dev/null; then remove_all; fi
		end_process "$(cat "$D/dockerd")" 20 || true
		end_process "$(cat "$D/containerd.pid")" 10 || true
	fi
	for pid in $(leftovers); do
		end_process "$pid" 3 || true
	done
	grep -F " $D/" /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r -n 1 umount -l 2>/dev/null
	if [ -z "${KEEP:-}" ]; then
		rm -rf "$D"
	else
		echo "# kept: $D"
	fi
}

remove_all() {
	local ids
	ids=$(engine ps -aq)
	if [ -n "$ids" ]; then
		printf '%s\n' "$ids" | xargs -n 10 -P 4 docker -H "unix://$E" rm -f >/dev/null 2>&1
	fi
}

make_certificates() {
	mkdir "$D/tls"
	cd "$D/tls" || exit 1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
		-keyout ca.key -out ca.pem 2>/dev/null
	local who
	for who in server client; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$who \
			-keyout $who.key -out $who.csr 2>/dev/null
		printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=%sAuth\n' $who >$who.ext
		openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
			-extfile $who.ext -out $who.pem 2>/dev/null
	done
	chmod 600 ./*.key
	"$D/proxy" --free-port >port
	cd / || exit 1
}

# busybox for what needs a shell, and a program that only sleeps, small enough to run hundreds of.
make_image() {
	local root=$D/image
	mkdir -p "$root/bin" "$root/tmp" "$D/tiny"
	cp "$(command -v busybox)" "$root/bin/busybox"
	local applet
	for applet in sh sleep rm touch test true cat; do
		ln -s busybox "$root/bin/$applet"
	done
	tar -C "$root" -cf "$D/image.tar" .
	cc -static -Os -s -o "$D/tiny/sleeper" "$engine_folder/sleeper.c"
	tar -C "$D/tiny" -cf "$D/tiny.tar" .
}

import_images() {
	engine import "$D/image.tar" hs-test >/dev/null &&
		engine import "$D/tiny.tar" hs-tiny >/dev/null &&
		engine run -d --name first --network none hs-tiny /sleeper >/dev/null &&
		engine rm -f first >/dev/null
}


# What is not installed that the engine needs.
engine_lacks() {
	local tool
	for tool in dockerd containerd docker curl jq openssl busybox cc; do
		command -v $tool >/dev/null || echo -n "$tool "
	done
}

engine_complaint() { tail -n 1 "$D/dockerd.log" | cut -c -200; }

# Makes all of it. The caller sets a trap for engine_take_down first.
engine_set_up() {
	cc -O1 -D_GNU_SOURCE -pthread -o "$D/proxy" "$engine_folder/proxy.c" || return 1
	echo '{}' >"$D/daemon.json"
	make_certificates
	make_image
	containerd_start
	# overlay2 spares copying the image for each container; not every file system can.
	DRIVER=overlay2
	if ! engine_start; then
		DRIVER=vfs
		engine_start || return 1
	fi
	import_images
}

engine_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
D=$(mktemp -d "${TMPDIR:-/tmp}/homeostat-real.XXXXXX")
E=$D/docker.sock
DRIVER=vfs
export D E DRIVER
