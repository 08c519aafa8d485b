#!/bin/sh
# Starts RabbitMQ as the public image does: RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS are read
# by the broker itself when its database is new.
set -eu

if [ "$(id -u)" = 0 ]; then
    mkdir -p /var/lib/rabbitmq
    chown rabbitmq:rabbitmq /var/lib/rabbitmq
    exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$0" "$@"
fi

[ "${1:-}" = rabbitmq-server ] || exec "$@"

# Moved into place whole: a cookie cut short by a phone's death would lock the tools out for good.
cookie=$HOME/.erlang.cookie
if [ ! -s "$cookie" ]; then
    umask 077
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$cookie.new"
    mv "$cookie.new" "$cookie"
    umask 022
fi

printf 'rabbitmq of the lab: a stand-in (Debian package) for the public image\n' >&2
exec rabbitmq-server
