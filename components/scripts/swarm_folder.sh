# swarm_folder.sh take, swarm_folder.sh put FILE; as root.
# take prints Docker's swarm folder as a gzipped tar in base64. put has it taken from such a tar,
# which goes with that, on a phone that is in no swarm. Docker is stopped meanwhile: while it runs,
# what it writes does not belong together.
# shellcheck shell=sh

answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

is_gone() { ! pidof dockerd >/dev/null; }

# Where systemd listens for Docker, the next question to it would start it again.
stop_docker() {
	if booted_with_systemd; then service_do stop docker.socket || true; fi
	service_do stop docker || true
	wait_for 90 is_gone
}

start_docker() {
	service_do start docker || true
	wait_for 90 answers
}

# What was begun ends with Docker running, whatever fails on the way.
leave() {
	rm -f "$tar"
	if is_gone; then start_docker || true; fi
}

take() {
	[ -d "$root/swarm" ] || die "the phone is in no swarm"
	tar=$(mktemp "$HELD/swarm.XXXXXX")
	trap leave EXIT
	stop_docker || die "Docker did not stop"
	tar -C "$root" -czf "$tar" swarm || die "the swarm's folder could not be copied"
	start_docker || die "Docker did not start again"
	base64 <"$tar"
}

put() {
	trap leave EXIT
	state=$(docker info --format '{{.Swarm.LocalNodeState}}')
	[ "$state" = inactive ] || die "the phone is in a swarm already; its state there is $state"
	rm -rf "$root/swarm.new"
	mkdir -m 700 "$root/swarm.new"
	tar -C "$root/swarm.new" -xzf "$tar" || die "the swarm's folder could not be unpacked"
	stop_docker || die "Docker did not stop"
	rm -rf "$root/swarm"
	mv "$root/swarm.new/swarm" "$root/swarm"
	rm -rf "$root/swarm.new"
	if ! start_docker; then
		service_do stop docker || true
		rm -rf "$root/swarm"
		die "Docker did not start with the swarm of the backup; it was taken away again"
	fi
}

main() {
	umask 077
	task=$1
	tar=${2-}
	trap 'rm -f "$tar"' EXIT
	answers || die "Docker gives no answer"
	root=$(docker info --format '{{.DockerRootDir}}')
	mkdir -p "$HELD"
	"$task"
}

main "$@"
