# network.sh PHONE ADDRESS DATA_PATH_PORT, as root.
# Lets the swarm in from the network that holds ADDRESS where a firewall drops what comes in, as
# postmarketOS's does. Restarting that firewall would flush Docker's own rules: so ours are loaded
# beside what is there, and lie in a file for the next boot.
# shellcheck shell=sh

# network_of ADDRESS PREFIX. A number at a time: a shell on a small phone may count with 32 bits only.
network_of() {
	left=$2
	network=''
	for byte in $(printf '%s\n' "$1" | tr . ' '); do
		bits=$((left > 8 ? 8 : left))
		left=$((left - bits))
		network=$network.$((byte & (256 - (1 << (8 - bits)))))
	done
	printf '%s/%s\n' "${network#.}" "$2"
}

# The interface that has ADDRESS and the network behind it: `wlan0 192.168.8.0/24`
place_of() {
	ip -o -4 address show | while read -r _ interface _ place _; do
		if [ "${place%/*}" = "$1" ]; then printf '%s %s\n' "$interface" "$(network_of "$1" "${place#*/}")"; fi
	done
}

addresses() { ip -o -4 address show scope global | awk '{ sub("/.*", "", $4); print $4 }' | xargs; }

# rules INTERFACE NETWORK ADDRESS PORT: swarm's three ports, and what encrypted overlays send
rules() {
	from="iifname \"$1\" ip saddr $2"
	mark="accept comment \"$FIREWALL_MARK $3 $4\""
	cat <<-END
		table inet filter {
			chain input {
				$from tcp dport { 2377, 7946 } $mark
				$from udp dport { 7946, $4 } $mark
				$from ip protocol esp $mark
			}
		}
	END
}

is_loaded_at_boot() { grep -qs 'nftables\.d/' /etc/nftables.nft /etc/nftables.conf; }

main() {
	place=$(place_of "$2")
	[ -n "$place" ] || die "phones.$1.address is $2, but the phone has $(addresses);" \
		"write the one that the other phones reach, or give it for good with cloudlet:wifi.static"
	if ! firewall_drops; then
		echo "no firewall keeps the swarm out"
		return
	fi
	is_loaded_at_boot || die "the phone's firewall drops what comes in, and it does not read" \
		"${FIREWALL_FILE%/*} at boot. Let 2377/tcp, 7946/tcp, 7946/udp and $3/udp in, or include it"
	text=$(rules "${place% *}" "${place#* }" "$2" "$3")
	if put_file "$FIREWALL_FILE" 644 "$text"; then echo "wrote $FIREWALL_FILE"; fi
	if [ "$(nft list chain inet filter input | firewall_marks)" != "3 $2 $3" ]; then
		{ firewall_removals && cat "$FIREWALL_FILE"; } | nft -f -
		echo "let the swarm in from ${place#* } on ${place% *}"
	fi
}

main "$@"
