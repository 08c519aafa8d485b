# wifi_switch.sh RUN DEVICE SSID CANDIDATE BEFORE, as root, started by wifi.sh.
# Puts DEVICE on the profile CANDIDATE; if that cannot be, or nobody confirms that the phone can be
# reached there, the profile BEFORE comes back as it was. RUN/state says how far this is.
# shellcheck shell=sh

JOIN_SECONDS=45
ROUTE_SECONDS=20
CONFIRM_SECONDS=60

say() {
	printf '%s\n' "$*" >"$run/state.new"
	mv "$run/state.new" "$run/state"
}

uptime_seconds() { cut -d. -f1 /proc/uptime; }

# The clock may be set meanwhile: so the time since boot counts.
within() {
	end=$(($(uptime_seconds) + $1))
	shift
	until "$@"; do
		[ "$(uptime_seconds)" -lt "$end" ] || return 1
		sleep 0.2 2>/dev/null || sleep 1
	done
}

has_route() { [ -n "$(ip -4 route show default dev "$device" 2>/dev/null)" ]; }

is_confirmed() { [ -e "$run/confirmed" ]; }

in_the_air() { nmcli -e no -t -f SSID device wifi list ifname "$device" 2>/dev/null | grep -qxF "$ssid"; }

# why WORDS-OF-NMCLI: what kept the phone from joining, and what to do
why() {
	case $1 in
	*ecrets\ were\ required*)
		echo "could not join wifi '$ssid': it does not take the password; check cloudlet:wifiPassword." ;;
	*network\ could\ not\ be\ found* | *"No network with SSID"*)
		echo "could not join wifi '$ssid': there is no such network here; check cloudlet:wifi.ssid." ;;
	*IP\ configuration\ could\ not\ be\ reserved*)
		echo "joined wifi '$ssid' but was given no address; does its access point run DHCP?" ;;
	*)
		if in_the_air; then
			echo "could not join wifi '$ssid' (${1##*Error: }); check cloudlet:wifiPassword."
		else
			echo "could not join wifi '$ssid': there is no such network here; check cloudlet:wifi.ssid."
		fi
		;;
	esac
}

# The profile that was is as it was: only the candidate goes.
roll_back() {
	[ -z "$before" ] || nmcli --wait "$JOIN_SECONDS" connection up "$before" >/dev/null 2>&1 || true
	nmcli connection delete "$candidate" >/dev/null 2>&1 || true
	now=$(wifi_active "$device")
	if [ -n "$now" ]; then
		now=$(nmcli -e no -g 802-11-wireless.ssid connection show "$now")
		say "failed $1 The phone is on wifi '$now'"
	else
		say "failed $1 The phone is on no wifi"
	fi
	exit 1
}

commit() {
	nmcli -e no -t -f UUID,NAME connection show | sed -n "s/^\([^:]*\):\(.*\)$/\1 \2/p" |
		while read -r id name; do
			if [ "$name" = "$ssid" ] && [ "$id" != "$candidate" ]; then
				nmcli connection delete "$id" </dev/null >/dev/null || true
			fi
		done
	nmcli connection modify "$candidate" connection.id "$ssid" connection.autoconnect yes
}

main() {
	run=$1 device=$2 ssid=$3 candidate=$4 before=$5
	# The answer to who started this goes out first.
	sleep 0.3 2>/dev/null || sleep 1
	said=$(nmcli --wait "$JOIN_SECONDS" connection up "$candidate" 2>&1) || roll_back "$(why "$said")"
	within "$ROUTE_SECONDS" has_route || roll_back "joined wifi '$ssid' but got no route to anywhere\
 within $ROUTE_SECONDS s; does its access point give a gateway, or should cloudlet:wifi.static?"
	say joined
	within "$CONFIRM_SECONDS" is_confirmed || roll_back "joined wifi '$ssid', but could not be reached\
 there within $CONFIRM_SECONDS s; is this machine on that network, and the phone's address right?"
	commit
	say 'done'
}

main "$@"
