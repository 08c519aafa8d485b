# facts.sh: what this phone is, as name=value lines. Needs Docker to answer; no root.
# shellcheck shell=sh

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
); }

battery() {
	for supply in /sys/class/power_supply/*; do
		if [ "$(first_line "$supply/type")" = Battery ]; then
			printf 'battery_percent=%s\n' "$(first_line "$supply/capacity")"
			[ ! -r "$supply/temp" ] || printf 'battery_decidegrees=%s\n' "$(first_line "$supply/temp")"
			return
		fi
	done
}

main() {
	docker info --format 'architecture={{.Architecture}}
docker_version={{.ServerVersion}}' || die "Docker gives no answer"
	printf 'model=%s\n' "$(model)"
	printf 'kernel=%s\n' "$(uname -r)"
	printf 'os=%s\n' "$(os_release)"
	printf 'memory_mb=%s\n' "$(($(awk '/^MemTotal:/ { print $2 }' /proc/meminfo) / 1024))"
	printf 'free_disk_mb=%s\n' "$(df -Pm /var/lib/docker 2>/dev/null | awk 'NR == 2 { print $4 }')"
	battery
}

main "$@"
