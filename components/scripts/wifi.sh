# wifi.sh SSID [NETWORK-TO-FORGET...], as root; WIFI_PASSWORD comes in a line before this text.
# Puts the phone on SSID for good. If SSID cannot be had, the connection that was there comes back.
# shellcheck shell=sh

PRIORITY=100

field() { nmcli -e no -s -g "$2" connection show "$1" 2>/dev/null; }

exists() { nmcli -e no -t -f NAME connection show | grep -qxF "$1"; }

# No colon stands in a device's name, so cutting at the last one leaves a name with colons whole.
active_on() { nmcli -e no -t -f NAME,DEVICE connection show --active | sed -n "s/:$1\$//p" | head -n 1; }

wifi_device() { nmcli -e no -t -f DEVICE,TYPE device status | sed -n 's/:wifi$//p' | head -n 1; }

is_right() {
	[ "$(field "$1" 802-11-wireless.ssid)" = "$1" ] &&
		[ "$(field "$1" 802-11-wireless-security.key-mgmt)" = wpa-psk ] &&
		[ "$(field "$1" 802-11-wireless-security.psk)" = "$WIFI_PASSWORD" ] &&
		[ "$(field "$1" connection.autoconnect)" = yes ] &&
		[ "$(field "$1" connection.autoconnect-priority)" = "$PRIORITY" ] &&
		[ "$(field "$1" 802-11-wireless.cloned-mac-address)" = stable ] &&
		case $(field "$1" 802-11-wireless.powersave) in 2 | disable | '2 (disable)') true ;; *) false ;; esac
}

# The editor takes the password from standard input; every other way puts it into an argument,
# where each user of the phone could read it.
set_password() {
	printf 'set 802-11-wireless-security.psk %s\nsave persistent\nquit\n' "$2" |
		nmcli connection edit "$1" >/dev/null 2>&1 || true
	[ "$(field "$1" 802-11-wireless-security.psk)" = "$2" ]
}

write_profile() {
	exists "$1" || nmcli connection add type wifi ifname "$device" con-name "$1" ssid "$1" >/dev/null
	# A stable address: the phone keeps its DHCP lease, whatever the chip invents at boot.
	nmcli connection modify "$1" 802-11-wireless.ssid "$1" \
		802-11-wireless-security.key-mgmt wpa-psk \
		802-11-wireless.powersave 2 802-11-wireless.cloned-mac-address stable \
		connection.autoconnect yes connection.autoconnect-priority "$PRIORITY"
	set_password "$1" "$WIFI_PASSWORD" ||
		die "NetworkManager did not take the wifi password for '$1'"
}

# What could not be brought up must not be what the phone tries first at its next boot; where it is
# what the phone was on, it gets its old password back.
go_back() {
	if [ "$before" = "$1" ]; then
		set_password "$1" "$old_password" || true
	else
		nmcli connection modify "$1" connection.autoconnect no >/dev/null 2>&1 || true
	fi
	[ -z "$before" ] || nmcli --wait 30 connection up "$before" >/dev/null 2>&1 || true
}

forget() {
	for network in "$@"; do
		if exists "$network"; then
			nmcli connection delete "$network" >/dev/null
			echo "forgot $network"
		fi
	done
}

main() {
	ssid=$1
	shift
	have nmcli || die "nmcli is missing; install NetworkManager on the phone, or leave cloudlet:wifi out"
	[ "$(nmcli radio wifi)" = enabled ] || nmcli radio wifi on
	device=$(wifi_device)
	[ -n "$device" ] || die "NetworkManager sees no wifi device; is the phone's wifi firmware installed?"
	before=$(active_on "$device")
	old_password=$(field "$ssid" 802-11-wireless-security.psk || true)
	if is_right "$ssid" && [ "$before" = "$ssid" ]; then
		echo "already on $ssid"
	else
		is_right "$ssid" || write_profile "$ssid"
		if ! reason=$(nmcli --wait 45 connection up "$ssid" 2>&1); then
			go_back "$ssid"
			now=$(active_on "$device")
			die "could not join wifi '$ssid' (${reason##*Error: }); the phone is on '${now:-no wifi}'." \
				"Check cloudlet:wifi.ssid and cloudlet:wifiPassword"
		fi
		echo "joined $ssid"
	fi
	forget "$@"
}

main "$@"
