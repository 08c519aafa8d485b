# daemon_json.sh PHONE read|write, as root; what to write comes as CONTENT in a line before this
# text. Docker's configuration file: printed, or replaced in one step and taken up by a running
# Docker. Nothing is written where the phone has another name in its lab by now.
# shellcheck shell=sh

FILE=/etc/docker/daemon.json

# A manager is back when it and the others agree on who leads them.
back_in_swarm() {
	state=$(docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}') || return 1
	case $state in
	'active true') docker node ls ;;
	'pending '*) return 1 ;;
	esac
}

replace() {
	if [ -n "$CONTENT" ]; then
		mkdir -p "${FILE%/*}"
		umask 022
		# A copy first, so that the file keeps its owner and mode.
		[ ! -e "$FILE" ] || cp -p "$FILE" "$FILE.new"
		printf '%s' "$CONTENT" >"$FILE.new"
		mv "$FILE.new" "$FILE"
	else
		rm -f "$FILE"
	fi
	if service_do status docker; then
		service_do restart docker || die "Docker did not restart with the new $FILE"
		wait_for 60 back_in_swarm || die "Docker is not back in the swarm within 60 s of its restart"
	fi
}

main() {
	case $2 in
	read) cat "$FILE" 2>/dev/null || true ;;
	write) held_by_another "$1" || replace ;;
	esac
}

main "$@"
