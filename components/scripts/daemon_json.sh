# daemon_json.sh PHONE read|write|reload, as root; what to write comes as CONTENT in a line before this
# text. Docker's configuration file: printed, or replaced in one step and taken up by a running
# Docker; one that Docker does not run with is not left there. "reload" is for what Docker takes up
# without a restart, which would stop the phone's tasks. Nothing is written where the phone has another
# name in its lab by now.
# shellcheck shell=sh

FILE=/etc/docker/daemon.json

BEFORE=$FILE.before
ADVICE="What this file says must not be among Docker's flags too: if it is that, take it out of DOCKER_OPTS\
 in /etc/conf.d/docker, or of its systemd unit"

# Whether Docker takes FILE.new: with the flags that it runs with, since one that says what the file
# says is refused. Before version 23 it cannot be asked.
is_taken() {
	dockerd --help 2>/dev/null | grep -q -e --validate || return 0
	# shellcheck disable=SC2016
	docker_command_line | xargs -0 sh -c \
		'[ $# -eq 0 ] || shift; exec dockerd --validate --config-file "$0" "$@"' "$FILE.new"
}

# FILE.new with CONTENT, if Docker takes it.
prepare() {
	mkdir -p "${FILE%/*}"
	umask 022
	# A copy first, so that the file keeps its owner and mode.
	[ ! -e "$FILE" ] || cp -p "$FILE" "$FILE.new"
	printf '%s' "$CONTENT" >"$FILE.new"
	if have dockerd && ! said=$(is_taken 2>&1); then
		rm -f "$FILE.new"
		die "Docker refuses what cloudlet would put into $FILE, which was left as it is:" \
			"$(printf '%s' "$said" | sed 's/[.]new:/:/'). $ADVICE"
	fi
}

# The file that was comes back, and Docker with it.
go_back() {
	said=$(docker_last_words)
	if [ -e "$BEFORE" ]; then mv "$BEFORE" "$FILE"; else rm -f "$FILE"; fi
	docker_restart || die "Docker runs neither with the new $FILE nor with the one before, which is back." \
		"Its last words: $(docker_last_words)"
	die "Docker did not run with the new $FILE, so the one before is back. Its last words: $said. $ADVICE"
}

replace() {
	rm -f "$BEFORE"
	[ -z "$CONTENT" ] || prepare
	[ ! -e "$FILE" ] || cp -p "$FILE" "$BEFORE"
	if [ -n "$CONTENT" ]; then mv "$FILE.new" "$FILE"; else rm -f "$FILE"; fi
	if service_do status docker; then
		docker_restart || go_back
		rm -f "$BEFORE"
		wait_for 60 docker_is_back_in_swarm ||
			die "Docker is not back in the swarm within 60 s of its restart"
	fi
	rm -f "$BEFORE"
}

reload() {
	prepare
	mv "$FILE.new" "$FILE"
	for pid in $(pidof dockerd); do kill -HUP "$pid"; done
}

main() {
	case $2 in
	read) cat "$FILE" 2>/dev/null || true ;;
	write) held_by_another "$1" || replace ;;
	reload) held_by_another "$1" || reload ;;
	esac
}

main "$@"
