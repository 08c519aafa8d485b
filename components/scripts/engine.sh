# engine.sh USER, as root.
# Docker installed, started at every boot once the wifi is up, running now, and USER allowed to
# speak to it.
# shellcheck shell=sh

install_docker() {
	echo "installing Docker"
	if have apk; then
		apk add --no-interactive docker docker-cli </dev/null >/dev/null
	elif have apt-get; then
		apt-get update -qq </dev/null
		# The command is a package of its own since Debian 13.
		for package in docker.io $(apt-cache show docker-cli >/dev/null 2>&1 && echo docker-cli); do
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" </dev/null >/dev/null
		done
	else
		die "Docker is missing and neither apk nor apt-get is there to install it"
	fi
}

# Compiled in or loaded already is as good; preflight.sh judges what is really missing.
load_modules() {
	for module in overlay br_netfilter vxlan ip_vs; do
		modprobe "$module" 2>/dev/null || true
	done
}

# Docker gives up at boot where the wifi is not up yet: a node of a swarm must find its own address,
# and after a few tries neither init system starts it again.
wifi_online() {
	cat <<'END'
#!/sbin/openrc-run
# Made by cloudlet. Docker needs this service: without a route it would not start.
description="Waits until the wifi has a route"

depend() {
	use networkmanager
	before docker
}

start() {
	ebegin "Waiting for the wifi"
	left=60
	until ip -4 route show | grep -q ' dev wl' || [ "$left" -eq 0 ]; do
		sleep 1
		left=$((left - 1))
	done
	# Where the wifi takes longer, Docker is started again and again by its supervisor.
	eend 0
}
END
}

await_wifi_with_openrc() {
	if put_file "$WIFI_ONLINE" 755 "$(wifi_online)"; then changed=yes; fi
	settings=$(
		[ ! -e "$DOCKER_SETTINGS" ] || sed "/^$SETTINGS_BEGIN\$/,/^$SETTINGS_END\$/d" "$DOCKER_SETTINGS"
		cat <<-END
			$SETTINGS_BEGIN
			rc_need="\${rc_need-} ${WIFI_ONLINE##*/}"
			respawn_delay=10
			respawn_max=0
			LOGPROXY_ROTATION_SIZE=5242880
			LOGPROXY_ROTATED_FILES=2
			$SETTINGS_END
		END
	)
	if put_file "$DOCKER_SETTINGS" 644 "$settings"; then changed=yes; fi
	[ -z "$changed" ] || rc-update -u >/dev/null 2>&1 || true
}

await_wifi_with_systemd() {
	if put_file "$DOCKER_UNIT" 644 '# Made by cloudlet: without a route Docker would not start.
[Unit]
Wants=network-online.target
After=network-online.target nftables.service
StartLimitIntervalSec=0

[Service]
RestartSec=10'; then changed=yes; fi
}

await_wifi() {
	if booted_with_systemd; then await_wifi_with_systemd; else await_wifi_with_openrc; fi
	[ -z "$changed" ] || echo "Docker waits for the wifi at boot"
}

# postmarketOS lets systemd-oomd kill in the slice of Docker at a memory pressure that a phone with
# 2 GB reaches when it starts a few containers.
spare_from_oomd() {
	if systemctl cat systemd-oomd.service >/dev/null 2>&1 && put_file "$OOMD_SLICE" 644 \
		'# Made by cloudlet: containers are not to be killed for memory pressure.
[Slice]
ManagedOOMMemoryPressure=auto'; then changed=yes; fi
}

join_docker_group() {
	user_in_group "$1" docker && return
	if have usermod; then usermod -aG docker "$1"; else addgroup "$1" docker >/dev/null; fi
	echo "added $1 to group docker"
}

main() {
	if ! have dockerd || ! have docker; then install_docker; fi
	load_modules
	join_docker_group "$1"
	changed=''
	if wifi_device >/dev/null; then await_wifi; fi
	if booted_with_systemd; then
		spare_from_oomd
		[ -z "$changed" ] || systemctl daemon-reload
	fi
	if ! service_is_enabled docker; then
		service_enable docker
		echo "enabled Docker at boot"
	fi
	if ! docker info >/dev/null 2>&1; then
		service_do start docker || die "Docker did not start. Its last words: $(docker_last_words)"
		wait_for 60 docker info ||
			die "Docker gave no answer within 60 s. Its last words: $(docker_last_words)"
		wait_for 20 docker_is_back_in_swarm || true
		echo "started Docker"
	elif docker_rules_are_gone; then
		docker_restart || die "Docker did not restart. Its last words: $(docker_last_words)"
		wait_for 20 docker_is_back_in_swarm || true
		echo "restarted Docker: its firewall rules were gone"
	fi
}

main "$@"
