# shellcheck shell=bash
# The ways to an engine: TLS, ssh, and Podman's socket.

tls_files() {
	printf '    cert_file: %s/tls/client.pem\n    key_file: %s/tls/client.key\n' "$D" "$D"
}

heals_a_crash() {
	agent_start
	launch "$1"
	crash "$1"
	wait_state "$1" RESOLVED 30
	started_times "$1" 2 || die "$1 was started $(starts "$1") times"
}

tls_with_a_client_certificate_heals() {
	TLS_LINES="$(tls_files)
    ca_file: $D/tls/ca.pem" configure "https://127.0.0.1:$(cat "$D/tls/port")"
	heals_a_crash by-tls
}

tls_with_a_pinned_fingerprint_heals() {
	local fingerprint
	fingerprint=$(openssl x509 -in "$D/tls/server.pem" -noout -fingerprint -sha256 | cut -d= -f2)
	TLS_LINES="$(tls_files)
    fingerprint: \"$fingerprint\"" configure "https://127.0.0.1:$(cat "$D/tls/port")"
	heals_a_crash by-pin
}

tls_with_a_wrong_fingerprint_is_refused() {
	local wrong
	wrong=$(openssl x509 -in "$D/tls/client.pem" -noout -fingerprint -sha256 | cut -d= -f2)
	TLS_LINES="$(tls_files)
    fingerprint: \"$wrong\"" configure "https://127.0.0.1:$(cat "$D/tls/port")"
	local code=0
	homeostat check >"$A/check" 2>&1 || code=$?
	is $code 1 || die "check says $code: $(cat "$A/check")"
	grep -qi fingerprint "$A/check" || die "no word of the fingerprint: $(cat "$A/check")"
}

ssh_through_the_openssh_client_heals() {
	command -v sshd >/dev/null || skip "no sshd here"
	command -v ssh >/dev/null || skip "no ssh here"
	docker system dial-stdio --help >/dev/null 2>&1 || skip "no docker client here that can dial-stdio"
	if [ "$(id -u)" != 0 ]; then skip "a private sshd needs root"; fi
	local port S=$D/ssh
	port=$("$D/proxy" --free-port)
	mkdir -p "$S/bin" /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$S/host"
	ssh-keygen -q -t ed25519 -N '' -f "$S/user"
	printf '%s\n' "Port $port" "ListenAddress 127.0.0.1" "HostKey $S/host" "PidFile $S/pid" \
		"AuthorizedKeysFile $S/user.pub" "StrictModes no" "PermitRootLogin yes" \
		"PasswordAuthentication no" "UsePAM no" "SetEnv DOCKER_HOST=unix://$E PATH=$PATH" >"$S/sshd_config"
	printf '%s\n' "IdentityFile $S/user" "IdentitiesOnly yes" "UserKnownHostsFile $S/known" >"$S/config"
	printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$S/host.pub")" >"$S/known"
	# The client reads the configuration of the account's home, whatever HOME says: name ours instead.
	printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$S/config" >"$S/bin/ssh"
	chmod +x "$S/bin/ssh"
	"$(command -v sshd)" -f "$S/sshd_config" -E "$S/log" || die "sshd does not start: $(cat "$S/log")"
	wait_until 5 "sshd listens" test -f "$S/pid"
	configure "ssh://root@127.0.0.1:$port"
	PATH=$S/bin:$PATH heals_a_crash by-ssh
	agent_end
	end_process "$(cat "$S/pid")" 5
}

podman() {
	command podman --root "$D/podman/root" --runroot "$D/podman/run" --storage-driver vfs \
		--cgroup-manager cgroupfs "$@"
}

podman_is_running() { is "$(podman inspect -f '{{.State.Running}}' "$1")" true; }

podmans_compatible_socket_heals() {
	command -v podman >/dev/null || skip "no podman here"
	if [ "$(id -u)" != 0 ]; then skip "rootful podman needs root"; fi
	mkdir -p "$D/podman"
	podman import "$D/image.tar" localhost/hs-test >/dev/null 2>"$D/podman/log" ||
		skip "podman cannot import an image here: $(tail -n 1 "$D/podman/log")"
	podman run -d --name pod1 --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
		localhost/hs-test /bin/sleep 1000 >/dev/null 2>"$D/podman/log" || skip "podman cannot run a container here: $(tail -n 1 "$D/podman/log")"
	command podman --root "$D/podman/root" --runroot "$D/podman/run" --storage-driver vfs \
		--cgroup-manager cgroupfs system service --time=0 "unix://$D/podman/sock" >>"$D/podman/log" 2>&1 &
	echo $! >"$D/podman/pid"
	wait_until 10 "podman's socket" test -S "$D/podman/sock"
	configure "unix://$D/podman/sock"
	agent_start
	kill -9 "$(podman inspect -f '{{.State.Pid}}' pod1)"
	wait_state pod1 RESOLVED 30
	podman_is_running pod1 || die "pod1 does not run"
	agent_end
	end_process "$(cat "$D/podman/pid")" 5 || true
	podman rm -f -t 0 pod1 >/dev/null 2>&1 || true
}
