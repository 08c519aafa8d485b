# Shared by every script here: cloudlet sends this text before theirs. POSIX sh, as BusyBox has it.
# Each script is one call of main, so that sh has read all of it before anything runs and nothing
# that main starts can eat the rest of the text from standard input.
# shellcheck shell=sh
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# Where a phone keeps under which name a lab holds it, and what it was like before.
HELD=/var/lib/cloudlet

# held_by_another PHONE: whether the phone has another name in its lab by now.
held_by_another() { [ -s "$HELD/name" ] && [ "$(cat "$HELD/name")" != "$1" ]; }

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

booted_with_systemd() { [ -d /run/systemd/system ]; }

# service_do start|stop|restart|status NAME
service_do() {
	if booted_with_systemd; then
		case $1 in
		status) systemctl is-active --quiet "$2" ;;
		*) systemctl "$1" "$2" ;;
		esac
	else
		rc-service "$2" "$1"
	fi </dev/null >/dev/null 2>&1
}

service_is_enabled() {
	if booted_with_systemd; then
		systemctl is-enabled --quiet "$1" 2>/dev/null
	else
		rc-update show default 2>/dev/null | grep -q "^ *$1 "
	fi
}

service_enable() {
	if booted_with_systemd; then systemctl --quiet enable "$1"; else rc-update --quiet add "$1" default; fi
}

service_disable() {
	if booted_with_systemd; then systemctl --quiet disable "$1"; else rc-update --quiet delete "$1" default; fi
}

# user_in_group USER GROUP
user_in_group() { id -nG "$1" 2>/dev/null | tr ' ' '\n' | grep -qx "$2"; }

# wait_for SECONDS COMMAND...: runs COMMAND once a second until it succeeds
wait_for() {
	left=$1
	shift
	until "$@" </dev/null >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 1
	done
}
