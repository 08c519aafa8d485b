# restore.sh PHONE USER DOCKER_ENABLED DOCKER_RUNNING IN_DOCKER_GROUP [images] [volumes], as root; the
# three are yes or no, as contact.sh found them. Takes away what the engine and the swarm brought;
# images and volumes only where the owner asked for just that.
# shellcheck shell=sh

# What Swarm leaves behind: tasks that had stopped before the phone left, as on one that was off, and
# a network that is made anew by the next join.
remove_leavings() {
	[ "$(docker info --format '{{.Swarm.LocalNodeState}}' 2>/dev/null)" = inactive ] || return 0
	docker ps -aq --filter label=com.docker.swarm.task.id | while read -r container; do
		docker rm -f "$container" >/dev/null || echo "container $container was left"
	done
	docker network rm docker_gwbridge >/dev/null 2>&1 || true
}

# The lab's registry, where it moved to another phone while this one was off.
remove_registry() {
	docker ps -aq --filter label=cloudlet.registry | while read -r container; do
		docker rm -f "$container" >/dev/null || echo "container $container was left"
		docker volume rm cloudlet-registry >/dev/null || echo "volume cloudlet-registry was left"
	done
}

remove_volumes() {
	docker volume ls -q --filter label=com.docker.stack.namespace | while read -r volume; do
		docker volume rm "$volume" >/dev/null || echo "volume $volume was left"
	done
}

# close_firewall: nothing lets the swarm in any more
close_firewall() {
	if firewall_drops; then
		removals=$(firewall_removals)
		[ -z "$removals" ] || printf '%s\n' "$removals" | nft -f -
	fi
	rm -f "$FIREWALL_FILE"
}

# What made Docker wait for the wifi; somebody else's settings stay.
stop_waiting() {
	if [ -e "$WIFI_ONLINE" ]; then
		# Stopping it would stop a Docker that was running before cloudlet came.
		rc-service "${WIFI_ONLINE##*/}" zap >/dev/null 2>&1 || true
		rm "$WIFI_ONLINE"
	fi
	if grep -qsxF "$SETTINGS_BEGIN" "$DOCKER_SETTINGS"; then
		sed -i "/^$SETTINGS_BEGIN\$/,/^$SETTINGS_END\$/d" "$DOCKER_SETTINGS"
		[ -s "$DOCKER_SETTINGS" ] || rm "$DOCKER_SETTINGS"
	fi
	for file in "$DOCKER_UNIT" "$OOMD_SLICE"; do
		if [ -e "$file" ]; then
			rm -f "$file"
			rmdir "${file%/*}" 2>/dev/null || true
		fi
	done
	if booted_with_systemd; then systemctl daemon-reload; else rc-update -u >/dev/null 2>&1 || true; fi
}

# With systemd, starting Docker starts its socket, which would start Docker again when used.
stop_docker() {
	service_do stop docker || die "Docker did not stop"
	if booted_with_systemd && grep -qsx 'docker_socket=no' "$HELD/found"; then
		systemctl stop docker.socket 2>/dev/null || true
	fi
}

main() {
	if held_by_another "$1"; then
		echo "the phone is $(cat "$HELD/name") now and stays as it is"
		return
	fi
	shift
	remove_leavings
	remove_registry
	case " $* " in *' images '*) docker image prune -af >/dev/null ;; esac
	case " $* " in *' volumes '*) remove_volumes ;; esac
	close_firewall
	if [ "$2" = no ] && service_is_enabled docker; then service_disable docker; fi
	if [ "$3" = no ] && service_do status docker; then stop_docker; fi
	stop_waiting
	if [ "$4" = no ] && user_in_group "$1" docker; then
		if have gpasswd; then gpasswd -d "$1" docker >/dev/null; else delgroup "$1" docker >/dev/null; fi
	fi
	rm -rf "$HELD"
}

main "$@"
