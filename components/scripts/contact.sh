# contact.sh PHONE USER EPOCH, as root; PUBLIC_KEY comes in a line before this text.
# Lets the controller in for good: its key for USER, the right time.
# Prints what the phone was like before, as name=value lines, for restore.sh. That, and the name
# under which the phone is held, are kept on it: a lab whose state was lost, or in which the phone
# has another name now, must neither take its own work for what it found nor undo it.
# shellcheck shell=sh

survey() {
	printf 'docker_enabled=%s\n' "$(service_is_enabled docker && echo yes || echo no)"
	printf 'docker_running=%s\n' "$(service_do status docker && echo yes || echo no)"
	printf 'docker_socket=%s\n' "$(service_do status docker.socket && echo yes || echo no)"
	printf 'daemon_json=%s\n' "$(base64 2>/dev/null </etc/docker/daemon.json | tr -d '\n')"
	printf 'in_docker_group=%s\n' "$(user_in_group "$1" docker && echo yes || echo no)"
}

install_key() {
	home=$(getent passwd "$1" 2>/dev/null | cut -d: -f6)
	[ -n "$home" ] || home=$(awk -F: -v user="$1" '$1 == user { print $6 }' /etc/passwd)
	[ -d "$home" ] || die "user $1 has no home directory; make one, sshd reads the key from there"
	keys=$home/.ssh/authorized_keys
	grep -qxF "$PUBLIC_KEY" "$keys" 2>/dev/null && return
	group=$(id -gn "$1")
	if [ ! -d "$home/.ssh" ]; then
		(umask 077 && mkdir "$home/.ssh")
		chown "$1:$group" "$home/.ssh"
	fi
	if [ -s "$keys" ] && [ -n "$(tail -c 1 "$keys")" ]; then echo >>"$keys"; fi
	printf '%s\n' "$PUBLIC_KEY" >>"$keys"
	chmod 600 "$keys"
	chown "$1:$group" "$keys"
}

keep_record() {
	mkdir -p "$HELD"
	if [ ! -s "$HELD/found" ]; then
		survey "$2" >"$HELD/found.new"
		mv "$HELD/found.new" "$HELD/found"
	fi
	printf '%s\n' "$1" >"$HELD/name"
}

main() {
	keep_record "$1" "$2"
	cat "$HELD/found"
	install_key "$2"
	set_clock "$3"
}

main "$@"
