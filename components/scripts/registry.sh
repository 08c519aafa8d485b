# registry.sh, in the container cloudlet-registry, which has the programs of the image registry:2.
# One process lets phones pull what was built, and nobody push; one, which listens on the phone itself
# only, takes what is pushed; one is a cache of UPSTREAM, which holds CACHE_KB at most. A registry that
# is a cache takes no images, so they are several.
# shellcheck shell=sh
set -eu

ROOT=/var/lib/registry

# config NAME FOLDER PORT STORAGE REST
config() {
	cat >"/tmp/$1.yml" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage:
		  filesystem: {rootdirectory: $ROOT/$2}
		  delete: {enabled: true}
		  $4
		http: {addr: ":$3"}
		$5
	END
}

# The oldest of what the cache holds goes, until a quarter is free; it is fetched anew where it is
# wanted again.
trim() {
	used=$(du -sk "$ROOT/cache" | cut -f 1)
	[ "$used" -gt "$CACHE_KB" ] || return 0
	echo "the cache holds $used KB of $CACHE_KB: its oldest images go"
	find "$ROOT/cache" -path '*/blobs/*' -name data -exec stat -c '%Y %n' {} + | sort -n |
		while [ "$used" -gt $((CACHE_KB * 3 / 4)) ] && read -r _ file; do
			size=$(du -sk "$file" | cut -f 1)
			rm -rf "${file%/data}"
			used=$((used - size))
		done
}

main() {
	mkdir -p "$ROOT/images" "$ROOT/cache"
	config images images "$IMAGES_PORT" 'maintenance: {readonly: {enabled: true}}' ''
	config push images "$PUSH_PORT" '' ''
	config cache cache "$CACHE_PORT" '' "proxy: {remoteurl: \"$UPSTREAM\"}"
	trap 'trap - TERM; kill 0; exit 0' TERM INT
	registry serve /tmp/images.yml &
	images=$!
	registry serve /tmp/push.yml &
	push=$!
	# Without an uplink a cache does not start; the phones do without it.
	while :; do
		registry serve /tmp/cache.yml || true
		sleep 10
	done &
	while :; do
		sleep "${EVERY_SECONDS:-20}" &
		wait $!
		# With one of them gone Docker starts everything anew.
		for pid in $images $push; do kill -0 "$pid" || exit 1; done
		trim
	done
}

main "$@"
