# restore.sh PHONE USER DOCKER_ENABLED DOCKER_RUNNING IN_DOCKER_GROUP [images] [volumes], as root; the
# three are yes or no, as contact.sh found them. Takes away what the engine and the swarm brought;
# images and volumes only where the owner asked for just that.
# shellcheck shell=sh

# Swarm leaves this network behind; it is made anew by the next join.
remove_gateway_bridge() {
	[ "$(docker info --format '{{.Swarm.LocalNodeState}}' 2>/dev/null)" = inactive ] || return 0
	docker network rm docker_gwbridge >/dev/null 2>&1 || true
}

remove_volumes() {
	docker volume ls -q --filter label=com.docker.stack.namespace | while read -r volume; do
		docker volume rm "$volume" >/dev/null || echo "volume $volume was left"
	done
}

main() {
	if held_by_another "$1"; then
		echo "the phone is $(cat "$HELD/name") now and stays as it is"
		return
	fi
	shift
	remove_gateway_bridge
	case " $* " in *' images '*) docker image prune -af >/dev/null ;; esac
	case " $* " in *' volumes '*) remove_volumes ;; esac
	if [ "$2" = no ] && service_is_enabled docker; then service_disable docker; fi
	if [ "$3" = no ] && service_do status docker; then
		service_do stop docker || die "Docker did not stop"
	fi
	if [ "$4" = no ] && user_in_group "$1" docker; then
		if have gpasswd; then gpasswd -d "$1" docker >/dev/null; else delgroup "$1" docker >/dev/null; fi
	fi
	rm -rf "$HELD"
}

main "$@"
