# reboot.sh, as root: the phone goes down a moment later, so that whoever asked hears that it will.
# shellcheck shell=sh

main() {
	have reboot || die "reboot is missing on the phone"
	(
		sleep 1
		exec reboot
	) </dev/null >/dev/null 2>&1 &
}

main "$@"
