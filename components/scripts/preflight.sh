# preflight.sh mesh|host
# What swarm needs of this phone; one message that lists all that is missing.
# shellcheck shell=sh

MIN_MEMORY_MB=400
MIN_DISK_MB=500

missing=''

lacks() {
	missing="$missing
  - $1"
}

# Kernel features are tried, not read off a module list: many phones have them compiled in.
has_overlay() { grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null; }

has_link_type() {
	ip link add "clt$1" type "$@" 2>/dev/null && ip link delete "clt$1" 2>/dev/null
}

has_bridge_filter() { [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter 2>/dev/null; }

has_ip_vs() { [ -e /proc/net/ip_vs ] || modprobe ip_vs 2>/dev/null; }

main() {
	has_overlay || lacks "the kernel has no overlay filesystem (CONFIG_OVERLAY_FS)"
	has_link_type vxlan id 42 dstport 4790 || lacks "the kernel has no VXLAN (CONFIG_VXLAN), so no overlay networks"
	has_bridge_filter || lacks "the kernel has no bridge netfilter (CONFIG_BRIDGE_NETFILTER)"
	if [ "$1" = mesh ]; then
		has_ip_vs || lacks "the kernel has no ip_vs (CONFIG_IP_VS): set cloudlet:routing to host"
	fi
	[ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/memory ] ||
		lacks "no cgroups are mounted at /sys/fs/cgroup"
	memory=$(($(awk '/^MemTotal:/ { print $2 }' /proc/meminfo) / 1024))
	[ "$memory" -ge "$MIN_MEMORY_MB" ] || lacks "$memory MB of memory; $MIN_MEMORY_MB are needed"
	root=$(docker_root "$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)")
	disk=$(df -Pm "$root" | awk 'NR == 2 { print $4 }')
	[ "$disk" -ge "$MIN_DISK_MB" ] || lacks "$disk MB free under $root; $MIN_DISK_MB are needed"
	[ -z "$missing" ] || die "this phone cannot be in a swarm:$missing
A newer kernel of the phone's postmarketOS port may have what is missing."
}

main "$@"
