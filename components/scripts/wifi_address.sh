# wifi_address.sh: the IPv4 address that the phone has on its wifi.
# shellcheck shell=sh

address() { ip -4 -o address show dev "$1" scope global 2>/dev/null | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | head -n 1; }

has_address() { [ -n "$(address "$device")" ]; }

main() {
	device=$(wifi_device) || true
	[ -n "$device" ] || die "NetworkManager sees no wifi device; is the phone's wifi firmware installed?"
	wait_for 20 has_address || die "the phone has no address on its wifi ($device)"
	address "$device"
}

main "$@"
