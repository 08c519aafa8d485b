#!/bin/sh
# Makes everything that the Makefile needs: Python packages in .venv, then Pulumi (`python -m
# toolchain ensure`). Looks first and acts only where something is missing; the second time it is
# done within a second. System packages are installed only on Debian and its kin, by name and reason.
set -eu

cd "$(dirname "$0")/.."
cache=.cloudlet/cache
log=$cache/bootstrap.log
ticker=
mkdir -p "$cache"

say() { printf '%s\n' "$*"; }

fail() {
	printf 'bootstrap: %s\n' "$*" >&2
	exit 1
}

stop_ticking() {
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null || :
		wait "$ticker" 2>/dev/null || :
		ticker=
	fi
}
trap stop_ticking EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# waiting WHAT COMMAND...: run a command into the log, and show that it is still at work.
waiting() {
	what=$1
	shift
	# Short sleeps: one that is left over when this ends keeps the output open.
	(
		seconds=0
		while sleep 1; do
			seconds=$((seconds + 1))
			[ $((seconds % 5)) -ne 0 ] || say "  $what: $seconds s"
		done
	) 9>&- &
	ticker=$!
	status=0
	"$@" >"$log" 2>&1 || status=$?
	stop_ticking
	[ "$status" -eq 0 ] || tail -n 15 "$log" >&2
	return "$status"
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

updated=
# install_packages WHY PACKAGE...
install_packages() {
	why=$1
	shift
	if ! command -v apt-get >/dev/null; then
		fail "missing: $* ($why); install it with this system's package manager"
	elif [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		fail "missing: $* ($why); ask an administrator for: apt-get install $*"
	fi
	say "Installing system packages: $* ($why)"
	# Asked for here, where a person sees it, not inside a command whose output is put away.
	[ "$(id -u)" -eq 0 ] || sudo -v || fail "sudo is refused; have an administrator install: $*"
	if [ -z "$updated" ]; then
		waiting 'reading the lists of packages' as_root apt-get update -q ||
			fail "apt-get update failed; see above"
		updated=yes
	fi
	waiting "installing $*" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends "$@" ||
		fail "apt-get install $* failed; see above"
}

new_enough() {
	"$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
	for python in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
		if command -v "$python" >/dev/null && new_enough "$python"; then
			return 0
		fi
	done
	return 1
}

make_venv() {
	find_python || {
		install_packages 'to run this project' python3 python3-venv
		# An older release has its newer Python under a name of its own.
		find_python || install_packages 'Python 3.11 or newer' python3.11 python3.11-venv
		find_python || fail 'no Python 3.11 or newer is to be had; install one and set PYTHON'
	}
	if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
		version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
		install_packages "to make .venv with $python" "python$version-venv"
	fi
	say "Making .venv with $("$python" --version)"
	waiting 'making .venv' "$python" -m venv --clear .venv ||
		fail 'the Python environment could not be made; see above'
}

# Two at once would write the same files.
if command -v flock >/dev/null; then
	exec 9>.cloudlet/bootstrap.lock
	flock -n 9 || {
		say 'Waiting for another bootstrap of this checkout'
		flock 9
	}
fi

if ! [ -x .venv/bin/python ] || ! new_enough .venv/bin/python; then
	make_venv
fi

wanted="$(cksum requirements.txt) $(.venv/bin/python --version)"
if [ "$(cat .venv/installed 2>/dev/null)" != "$wanted" ]; then
	say 'Installing Python packages into .venv'
	waiting 'installing Python packages' .venv/bin/python -m pip install --no-input \
		--disable-pip-version-check --cache-dir "$PWD/$cache/pip" --prefer-binary \
		--require-hashes --requirement requirements.txt ||
		fail 'the Python packages could not be installed; see above'
	printf '%s\n' "$wanted" >.venv/installed
fi

# Go and others trust only the system's certificates; a bare Debian has none.
if [ -e /etc/debian_version ] && ! [ -e /etc/ssl/certs/ca-certificates.crt ]; then
	install_packages 'to trust download servers' ca-certificates
fi

exec .venv/bin/python -m toolchain ensure
