# wifi.sh join SSID STATIC [NETWORK-TO-FORGET...], wifi.sh result, wifi.sh confirm; as root.
# STATIC is empty, or an address with its prefix, a gateway and name servers: `A/P G D,D`.
# For join, WIFI_PASSWORD and SWITCH (wifi_switch.sh) come in lines before this text.
#
# join prints `already on wifi SSID` where the phone is on it as it should be. Else it prints
# `switching to wifi SSID`, and a job of its own puts the phone there beside the profile that was:
# this link may be cut meanwhile.
# result prints how far that job is; confirm tells it that the phone is reached on the new network,
# waits some seconds for its end, and prints as result does.
# shellcheck shell=sh

PRIORITY=100
CANDIDATE=cloudlet-candidate
RUN=/run/cloudlet-wifi
# The settings that a link is made with, in this order.
LINK=802-11-wireless.ssid,802-11-wireless-security.key-mgmt,802-11-wireless-security.psk
LINK=$LINK,802-11-wireless.powersave,802-11-wireless.cloned-mac-address
LINK=$LINK,ipv4.method,ipv4.addresses,ipv4.gateway,ipv4.dns
KEEPING=connection.autoconnect,connection.autoconnect-priority,connection.autoconnect-retries

# settings PROFILE FIELDS: one value a line
settings() { nmcli -e no -s -g "$2" connection show "$1" 2>/dev/null; }

# On standard input; some versions of nmcli explain a number behind it. Any address that is fixed
# for the profile will do for the phone to keep its lease.
plain_link() {
	awk 'NR == 4 { $0 = /^(2|disable)/ ? "off" : "on" }
		NR == 5 { $0 = /^(stable|([0-9A-Fa-f][0-9A-Fa-f]:)+[0-9A-Fa-f][0-9A-Fa-f])$/ ? "fixed" : "free" }
		NR == 6 { automatic = $0 == "auto" }
		NR > 6 { gsub(" ", ""); if (automatic) $0 = "" }
		{ print }'
}

wanted_link() {
	printf '%s\nwpa-psk\n%s\noff\nfixed\n' "$ssid" "$WIFI_PASSWORD"
	if [ -n "$static" ]; then
		printf 'manual\n%s\n' "$static" | tr ' ' '\n'
	else
		printf 'auto\n\n\n\n'
	fi
}

# Read with an end of its own, or the shell would take away the empty lines at the end.
link_is_right() { [ "$(settings "$1" "$LINK" | plain_link && echo .)" = "$(wanted_link && echo .)" ]; }

is_kept() {
	settings "$1" "$KEEPING" | {
		read -r automatic && read -r priority && read -r retries &&
			[ "$automatic" = yes ] && [ "$priority" = "$PRIORITY" ] && [ "${retries%% *}" = 0 ]
	}
}

# What keeps the phone on the network needs no new link.
keep() {
	is_kept "$1" || nmcli connection modify "$1" connection.autoconnect yes \
		connection.autoconnect-priority "$PRIORITY" connection.autoconnect-retries 0
}

# The editor takes the password from standard input; every other way puts it into an argument,
# where each user of the phone could read it.
set_password() {
	printf 'set 802-11-wireless-security.psk %s\nsave persistent\nquit\n' "$WIFI_PASSWORD" |
		nmcli connection edit "$1" >/dev/null 2>&1 || true
	[ "$(settings "$1" 802-11-wireless-security.psk)" = "$WIFI_PASSWORD" ]
}

# hardware_address PROFILE: what keeps the address, and with it the lease, that the phone has on
# this network. NetworkManager makes a stable one of the profile's id, and this profile is new.
hardware_address() {
	if [ -n "$1" ] && [ "$(settings "$1" 802-11-wireless.ssid)" = "$ssid" ] &&
		[ "$(settings "$1" connection.stable-id)" != cloudlet ]; then
		cat "/sys/class/net/$device/address"
	else
		echo stable
	fi
}

# Not connected to by itself: a phone that is rebooted halfway is on the old network again.
make_candidate() {
	set -- 802-11-wireless.cloned-mac-address "$(hardware_address "$1")" connection.stable-id cloudlet
	if [ -n "$static" ]; then
		rest=${static#* }
		set -- "$@" ipv4.method manual ipv4.addresses "${static%% *}" \
			ipv4.gateway "${rest% *}" ipv4.dns "${rest#* }"
	fi
	nmcli connection add type wifi ifname "$device" con-name "$CANDIDATE" autoconnect no \
		ssid "$ssid" 802-11-wireless-security.key-mgmt wpa-psk 802-11-wireless.powersave 2 \
		connection.autoconnect-priority "$PRIORITY" connection.autoconnect-retries 0 "$@" >/dev/null
	if ! set_password "$CANDIDATE"; then
		nmcli connection delete "$CANDIDATE" >/dev/null
		die "NetworkManager did not take the wifi password for '$ssid'"
	fi
}

# start_switch BEFORE: in a session of its own, or with systemd a unit: it must outlive this link.
start_switch() {
	(
		umask 077
		mkdir -p "$RUN"
		rm -f "$RUN/confirmed"
		printf '%s\n' "$SWITCH" >"$RUN/switch"
		echo switching >"$RUN/state"
	)
	set -- sh "$RUN/switch" "$RUN" "$device" "$ssid" "$(settings "$CANDIDATE" connection.uuid)" "$1"
	if booted_with_systemd; then
		systemd-run --quiet --collect --unit=cloudlet-wifi "$@"
	else
		setsid "$@" </dev/null >/dev/null 2>&1 &
		echo $! >"$RUN/pid"
	fi
}

job_runs() {
	if booted_with_systemd; then
		systemctl is-active --quiet cloudlet-wifi
	else
		[ -s "$RUN/pid" ] && kill -0 "$(cat "$RUN/pid")" 2>/dev/null
	fi
}

is_underway() { case $(cat "$RUN/state" 2>/dev/null) in switching | joined) ;; *) return 1 ;; esac }

has_ended() { ! is_underway || ! job_runs; }

# In this order: a job that has ended has said how.
result() {
	if ! job_runs && is_underway; then
		echo "failed the switch of the wifi was cut off" >"$RUN/state"
	fi
	cat "$RUN/state"
}

forget() {
	for network in "$@"; do
		nmcli -e no -t -f UUID,TYPE connection show | sed -n 's/:802-11-wireless$//p' | while read -r id; do
			if [ "$(settings "$id" 802-11-wireless.ssid)" = "$network" ]; then
				nmcli connection delete "$id" </dev/null >/dev/null
			fi
		done
	done
}

join() {
	ssid=$1 static=$2
	shift 2
	have nmcli || die "nmcli is missing; install NetworkManager on the phone, or leave cloudlet:wifi out"
	[ "$(nmcli radio wifi)" = enabled ] || nmcli radio wifi on
	wait_for 10 wifi_device ||
		die "NetworkManager sees no wifi device; is the phone's wifi firmware installed?"
	device=$(wifi_device)
	before=$(wifi_active "$device")
	if is_underway && job_runs; then
		echo "switching to wifi '$ssid'"
	elif [ -n "$before" ] && link_is_right "$before"; then
		keep "$before"
		forget "$@"
		echo "already on wifi '$ssid'"
	else
		nmcli connection delete "$CANDIDATE" >/dev/null 2>&1 || true
		make_candidate "$before"
		start_switch "$before"
		echo "switching to wifi '$ssid'"
	fi
}

main() {
	task=$1
	shift
	case $task in
	join) join "$@" ;;
	result) result ;;
	confirm)
		(umask 077 && : >"$RUN/confirmed")
		wait_for 5 has_ended || true
		result
		;;
	esac
}

main "$@"
