# BusyBox for the lab, where the public image cannot be pulled: Debian's static build with a link for each
# of its programs, as a tar on standard output.
# shellcheck shell=sh
set -eu
{
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends busybox-static
	mkdir -p /image/bin /image/etc /image/tmp /image/var /image/root
	chmod 1777 /image/tmp
	cp /bin/busybox /image/bin/
	for name in $(busybox --list); do [ -e "/image/bin/$name" ] || ln -s busybox "/image/bin/$name"; done
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >/image/etc/passwd
	printf 'root:x:0:\nnogroup:x:65534:\n' >/image/etc/group
} >&2
exec tar -C /image -c .
