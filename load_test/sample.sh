# sample.sh: what this phone uses at this moment, as name=value lines; what it can't tell is left out.
# A control group's own numbers come first: in a container /proc shows the whole machine.
# shellcheck shell=sh

groups=/sys/fs/cgroup

cpu() {
	if [ -r "$groups/cpuacct/cpuacct.usage" ]; then
		awk '{ printf "cpu_seconds=%.3f\n", $1 / 1e9 }' "$groups/cpuacct/cpuacct.usage"
	elif grep -q '^usage_usec' "$groups/cpu.stat" 2>/dev/null; then
		awk '$1 == "usage_usec" { printf "cpu_seconds=%.3f\n", $2 / 1e6 }' "$groups/cpu.stat"
	else
		# A hundred ticks make a second on every architecture that Linux has for phones.
		awk '$1 == "cpu" { printf "cpu_seconds=%.3f\n", ($2 + $3 + $4 + $7 + $8) / 100 }' /proc/stat
	fi
}

memory() {
	if [ -r "$groups/memory/memory.usage_in_bytes" ] && [ -r "$groups/memory/memory.stat" ] &&
		[ "$(cat "$groups/memory/memory.limit_in_bytes")" -lt 1000000000000 ]; then
		used=$(cat "$groups/memory/memory.usage_in_bytes")
		awk -v used="$used" '$1 == "total_inactive_file" { printf "memory_mb=%d\n", (used - $2) / 1048576 }' \
			"$groups/memory/memory.stat"
	elif [ -r "$groups/memory.current" ]; then
		used=$(cat "$groups/memory.current")
		awk -v used="$used" '$1 == "inactive_file" { printf "memory_mb=%d\n", (used - $2) / 1048576 }' \
			"$groups/memory.stat"
	else
		awk '$1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { free = $2 }
			END { printf "memory_mb=%d\n", (total - free) / 1024 }' /proc/meminfo
	fi
}

temperature() {
	for zone in /sys/class/thermal/thermal_zone*/temp; do
		[ -r "$zone" ] && cat "$zone"
	done 2>/dev/null | awk '$1 > hottest { hottest = $1 } END { if (hottest) printf "celsius=%.1f\n", hottest / 1000 }'
	for supply in /sys/class/power_supply/*; do
		if [ "$(cat "$supply/type" 2>/dev/null)" = Battery ] && [ -r "$supply/temp" ]; then
			awk '{ printf "battery_celsius=%.1f\n", $1 / 10 }' "$supply/temp"
			return
		fi
	done
}

cpu
memory
temperature
