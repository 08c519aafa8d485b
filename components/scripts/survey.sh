# survey.sh: what this phone is and how it is doing, as name=value lines. It changes nothing and
# fails for nothing: what cannot be told is left out. Root sees more than a user: the firewall.
# SECONDS_FOR_ONE comes in a line before this text: what Docker or NetworkManager may take.
# shellcheck shell=sh

# Neither Docker nor NetworkManager may keep the rest from being told.
SECONDS_FOR_ONE=${SECONDS_FOR_ONE:-8}

first_line() { tr -d '\000' <"$1" 2>/dev/null | head -n 1; }

model() {
	for file in /sys/firmware/devicetree/base/model /sys/class/dmi/id/product_name; do
		if [ -r "$file" ]; then
			first_line "$file"
			return
		fi
	done
	uname -m
}

os_release() { (
	# shellcheck source=/dev/null
	. /etc/os-release && printf '%s\n' "${PRETTY_NAME:-$ID}"
) 2>/dev/null; }

machine() {
	printf 'model=%s\n' "$(model)"
	printf 'kernel=%s\n' "$(uname -r)"
	printf 'os=%s\n' "$(os_release)"
	awk '/^MemTotal:/ { printf "memory_mb=%d\n", $2 / 1024 }
		/^MemAvailable:/ { printf "free_memory_mb=%d\n", $2 / 1024 }' /proc/meminfo
}

battery() {
	for supply in /sys/class/power_supply/*; do
		if [ "$(first_line "$supply/type")" = Battery ]; then
			printf 'battery_percent=%s\n' "$(first_line "$supply/capacity")"
			[ ! -r "$supply/temp" ] || printf 'battery_decidegrees=%s\n' "$(first_line "$supply/temp")"
			return
		fi
	done
}

disk() {
	df -Pm "$(docker_root "$(printf '%s\n' "$told" | sed -n 's/^docker_root=//p')")" 2>/dev/null |
		awk 'NR == 2 { print "free_disk_mb=" $4 }'
}

# told_by_docker SECONDS
told_by_docker() {
	# Without the engine, some versions of the command fail and others leave its fields empty.
	bounded "$1" docker info --format 'architecture={{.Architecture}}
docker_version={{.ServerVersion}}
docker_root={{.DockerRootDir}}
containers_running={{.ContainersRunning}}
swarm_state={{.Swarm.LocalNodeState}}
swarm_node_id={{.Swarm.NodeID}}
swarm_address={{.Swarm.NodeAddr}}
swarm_manager={{.Swarm.ControlAvailable}}
swarm_id={{with .Swarm.Cluster}}{{.ID}}{{end}}
swarm_error={{.Swarm.Error}}' 2>/dev/null
}

engine() {
	told=''
	if ! have dockerd; then
		echo docker=missing
		return
	fi
	told=$(told_by_docker "$SECONDS_FOR_ONE") || true
	case $told in
	*docker_version=[0-9]*) ;;
	*)
		# A manager that was removed while it runs asks the others for 20 s, in vain, before it says
		# what it knows; an engine that hangs does not tell its version either.
		if bounded 3 docker version >/dev/null 2>&1; then told=$(told_by_docker 25) || true; fi
		;;
	esac
	case $told in
	*docker_version=[0-9]*)
		printf 'docker=running\n%s\n' "$told"
		if [ "$(id -u)" = 0 ] && docker_rules_are_gone; then echo docker_rules=gone; fi
		;;
	*) if service_do status docker; then echo docker=silent; else echo docker=stopped; fi ;;
	esac
	printf 'docker_at_boot=%s\n' "$(yes_or_no service_is_enabled docker)"
	[ -z "$device" ] || printf 'docker_awaits_wifi=%s\n' "$(yes_or_no docker_awaits_wifi)"
	printf 'user_may_use_docker=%s\n' "$(yes_or_no user_in_group "$1" docker)"
	printf 'daemon_json=%s\n' "$(base64 2>/dev/null </etc/docker/daemon.json | tr -d '\n')"
}

wifi() {
	[ -n "$device" ] || return 0
	printf 'wifi_device=%s\n' "$device"
	profile=$(wifi_active "$device")
	[ -n "$profile" ] || return 0
	bounded "$SECONDS_FOR_ONE" nmcli -e no -g "802-11-wireless.ssid,connection.autoconnect,connection.autoconnect-priority" \
		connection show "$profile" 2>/dev/null | {
		read -r ssid && read -r autoconnect && read -r priority &&
			printf 'wifi_ssid=%s\nwifi_autoconnect=%s\nwifi_priority=%s\n' "$ssid" "$autoconnect" "$priority"
	} || true
	bounded "$SECONDS_FOR_ONE" nmcli -e no -t -f IN-USE,SIGNAL device wifi list ifname "$device" --rescan no 2>/dev/null |
		sed -n 's/^\*:/wifi_signal=/p'
}

firewall() {
	[ "$(id -u)" = 0 ] || return 0
	if ! firewall_drops; then
		echo firewall=none
		return
	fi
	echo firewall=drops
	printf 'firewall_lets_in=%s\n' "$(nft list chain inet filter input | firewall_marks)"
	printf 'firewall_at_boot=%s\n' "$([ ! -r "$FIREWALL_FILE" ] || firewall_marks <"$FIREWALL_FILE")"
}

main() {
	# The clock first, and before anything that takes time: who asks compares it with his own.
	printf 'clock=%s\n' "$(date -u +%s)"
	printf 'root=%s\n' "$([ "$(id -u)" = 0 ] && echo yes || echo no)"
	device=$(wifi_device || true)
	machine
	battery
	engine "$1"
	disk
	wifi
	firewall
}

main "$@"
