# engine.sh USER, as root.
# Docker installed, started at every boot, running now, and USER allowed to speak to it.
# shellcheck shell=sh

install_docker() {
	echo "installing Docker"
	if have apk; then
		apk add --no-interactive docker docker-cli </dev/null >/dev/null
	elif have apt-get; then
		apt-get update -qq </dev/null
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io </dev/null >/dev/null
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

join_docker_group() {
	user_in_group "$1" docker && return
	if have usermod; then usermod -aG docker "$1"; else addgroup "$1" docker >/dev/null; fi
	echo "added $1 to group docker"
}

last_words() {
	if booted_with_systemd; then
		journalctl -u docker -n 8 --no-pager 2>/dev/null || true
	else
		tail -n 8 /var/log/docker.log 2>/dev/null || true
	fi
}

main() {
	have dockerd || install_docker
	load_modules
	join_docker_group "$1"
	if ! service_is_enabled docker; then
		service_enable docker
		echo "enabled Docker at boot"
	fi
	if ! docker info >/dev/null 2>&1; then
		service_do start docker || die "Docker did not start. Its last words: $(last_words)"
		wait_for 60 docker info || die "Docker gave no answer within 60 s. Its last words: $(last_words)"
		echo "started Docker"
	fi
}

main "$@"
