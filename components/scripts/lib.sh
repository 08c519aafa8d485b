# Shared by every script here: cloudlet sends this text before theirs. POSIX sh, as BusyBox has it.
# Each script is one call of main, so that sh has read all of it before anything runs and nothing
# that main starts can eat the rest of the text from standard input.
# shellcheck shell=sh disable=SC2034
set -eu
# English words, and the names of networks as they are: in C itself nmcli prints ? for a letter like é.
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"

# What makes Docker wait for the wifi at boot, by init system.
WIFI_ONLINE=/etc/init.d/wifi-online
DOCKER_SETTINGS=/etc/conf.d/docker
DOCKER_UNIT=/etc/systemd/system/docker.service.d/10-cloudlet.conf
OOMD_SLICE=/etc/systemd/system/system.slice.d/20-cloudlet.conf
SETTINGS_BEGIN='# Set by cloudlet:'
SETTINGS_END='# End of what cloudlet set.'

# The swarm's way through the firewall: a file that is loaded at boot, and a comment on its rules.
FIREWALL_FILE=/etc/nftables.d/60_cloudlet.nft
FIREWALL_MARK=cloudlet-swarm

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

# wait_for SECONDS COMMAND...: runs COMMAND once a second until it succeeds, and more often at first:
# of a Docker that starts in 1.2 s, nobody wants to wait for the whole second after that.
wait_for() {
	left=$1 often=15
	shift
	until "$@" </dev/null >/dev/null 2>&1; do
		if [ "$often" -gt 0 ] && sleep 0.2 2>/dev/null; then
			often=$((often - 1))
			continue
		fi
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 1
	done
}

# yes_or_no COMMAND...: prints whether COMMAND succeeds
yes_or_no() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }

# bounded SECONDS COMMAND...: COMMAND, given up after that time where a phone can do so
bounded() {
	seconds=$1
	shift
	if have timeout; then timeout "$seconds" "$@"; else "$@"; fi
}

# The wifi device that NetworkManager manages; fails where there is none.
wifi_device() {
	have nmcli || return 1
	devices=$(bounded 10 nmcli -e no -t -f DEVICE,TYPE,STATE device status 2>/dev/null) || return 1
	devices=$(printf '%s\n' "$devices" | sed -n '/:unmanaged$/d; s/:wifi:[^:]*$//p' | head -n 1)
	[ -n "$devices" ] && printf '%s\n' "$devices"
}

# wifi_active DEVICE: the id of the profile that the device is on, or nothing
wifi_active() {
	nmcli -e no -t -f UUID,DEVICE connection show --active 2>/dev/null | sed -n "s/:$1\$//p" | head -n 1
}

# What Docker said last, for who wants to know why it does not run.
docker_last_words() {
	if booted_with_systemd; then
		journalctl -u docker -n 8 --no-pager 2>/dev/null || true
	else
		tail -n 8 /var/log/docker.log 2>/dev/null || true
	fi
}

# docker_restart: whether it answers again
docker_restart() { service_do restart docker && wait_for 60 docker info; }

# A manager is back when it and the others agree on who leads them.
docker_is_back_in_swarm() {
	state=$(docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}') || return 1
	case $state in
	'active true') docker node ls ;;
	'pending '*) return 1 ;;
	esac
}

# docker_root TOLD: where Docker's data is or will be. TOLD is its DockerRootDir, empty while it does
# not answer.
docker_root() {
	folder=$1
	[ -n "$folder" ] || [ ! -r /etc/docker/daemon.json ] ||
		folder=$(sed -n 's/.*"data-root" *: *"\([^"]*\)".*/\1/p' /etc/docker/daemon.json)
	folder=${folder:-/var/lib/docker}
	until [ -d "$folder/" ]; do folder=${folder%/*}; done
	printf '%s\n' "${folder:-/}"
}

# The words that Docker was started with, each ended by a NUL; where it does not run, those with which
# OpenRC would start it.
docker_command_line() {
	for pid in $(pidof dockerd); do
		cat "/proc/$pid/cmdline"
		return
	done
	[ ! -r "$DOCKER_SETTINGS" ] || (
		# Its owner's file need not keep to our strictness, and its words are meant to be split.
		set +eu
		# shellcheck source=/dev/null
		. "$DOCKER_SETTINGS" >/dev/null 2>&1
		# shellcheck disable=SC2086
		printf '%s\000' dockerd ${DOCKER_OPTS-}
	)
}

# Whether somebody flushed the rules that a running Docker made for its containers, as a restart of
# the firewall does: nothing puts them back but a restart of Docker. One that was told to make none,
# or to make them otherwise, lacks nothing.
docker_rules_are_gone() {
	have iptables || return 1
	! iptables -w -t nat -n -L DOCKER >/dev/null 2>&1 || return 1
	! { cat /etc/docker/daemon.json 2>/dev/null && docker_command_line; } | grep -qaE 'iptables|firewall-backend'
}

docker_awaits_wifi() {
	if booted_with_systemd; then
		[ -s "$DOCKER_UNIT" ]
	else
		[ -x "$WIFI_ONLINE" ] && grep -qxF "$SETTINGS_BEGIN" "$DOCKER_SETTINGS" 2>/dev/null
	fi
}

# Whether a firewall like postmarketOS's runs: what is not let in is dropped.
firewall_drops() {
	have nft && nft list chain inet filter input 2>/dev/null | grep -q 'hook input .*policy drop'
}

# firewall_marks <RULES: how many rules of ours stand there, and what for: `3 ADDRESS PORT`
firewall_marks() {
	sed -n "s/.*comment \"$FIREWALL_MARK \([^\"]*\)\".*/\1/p" | sort | uniq -c | awk '{ print $1, $2, $3 }'
}

# Lines for nft that take our rules out.
firewall_removals() {
	nft -a list chain inet filter input |
		sed -n "s/.*comment \"$FIREWALL_MARK .*# handle \([0-9]*\).*/delete rule inet filter input handle \1/p"
}

# put_file FILE MODE TEXT, in one step; fails where the file holds just that already
put_file() {
	[ "$(cat "$1" 2>/dev/null)" != "$3" ] || return 1
	mkdir -p "${1%/*}"
	printf '%s\n' "$3" >"$1.new"
	chmod "$2" "$1.new"
	mv "$1.new" "$1"
}

# set_clock EPOCH. Swarm's certificates are refused when clocks differ by an hour; a few seconds do no harm, and a
# container or a phone whose clock may not be set is none the worse for trying.
set_clock() {
	off=$(($(date -u +%s) - $1))
	if [ "$off" -gt 5 ] || [ "$off" -lt -5 ]; then
		date -u -s "@$1" >/dev/null 2>&1 ||
			die "the clock is off by $off s and cannot be set; swarm's certificates would be refused"
	fi
}
