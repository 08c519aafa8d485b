#!/bin/sh
# Starts PostgreSQL as the public image does: POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD (or
# POSTGRES_PASSWORD_FILE) describe a database that is made once, in an empty PGDATA.
set -eu

say() { printf 'postgres of the lab: %s\n' "$1" >&2; }

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

[ "${1:-}" = postgres ] || exec "$@"

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

# A database is made aside and moved in whole, PG_VERSION last: a phone that dies meanwhile leaves
# no half database that would be taken for one.
create() {
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        password=$(cat "$POSTGRES_PASSWORD_FILE")
    else
        password=${POSTGRES_PASSWORD:-}
    fi
    if [ -z "$password" ]; then
        say 'POSTGRES_PASSWORD is not set: give it, or POSTGRES_PASSWORD_FILE, to make a database'
        exit 1
    fi
    new=$PGDATA/.new
    rm -rf "$new"
    mkdir -m 700 "$new"
    printf '%s\n' "$password" > "$PGDATA/.password"
    initdb --pgdata="$new" --username="$user" --pwfile="$PGDATA/.password" --auth-local=trust \
        --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 > /dev/null
    rm -f "$PGDATA/.password"
    echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
    if [ "$database" != postgres ]; then
        # The name is handed over as a variable and quoted by psql's own rules.
        printf 'CREATE DATABASE :"name";\n' > "$new.sql"
        pg_ctl --pgdata="$new" --silent --wait --log=/dev/null \
            --options="-c listen_addresses='' -c unix_socket_directories=/tmp" start
        psql --quiet --no-psqlrc --host=/tmp --username="$user" --dbname=postgres \
            --set=ON_ERROR_STOP=1 --set=name="$database" --file="$new.sql"
        pg_ctl --pgdata="$new" --silent --wait --mode=fast stop
        rm -f "$new.sql"
    fi
    for entry in "$new"/*; do
        [ "${entry##*/}" = PG_VERSION ] || mv "$entry" "$PGDATA/"
    done
    mv "$new/PG_VERSION" "$PGDATA/"
    rmdir "$new"
    say "made the database $database"
}

# What an interrupted start left besides its .new folder is not a database and may go.
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
    create
fi

say 'a stand-in (Debian package) for the public image'
exec postgres -c listen_addresses='*' -c jit=off -c shared_buffers=32MB -c max_connections=100 \
    -c max_wal_size=256MB -c min_wal_size=32MB -c max_parallel_workers_per_gather=0 \
    -c autovacuum_max_workers=1 -c log_timezone=UTC -c timezone=UTC
