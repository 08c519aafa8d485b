# boot_identity.sh: one line that differs after every boot. A container shares its machine's boot_id,
# and on a machine of its own the first process always starts at the same moment: so both count.
# shellcheck shell=sh

main() {
	printf '%s %s\n' "$(cat /proc/sys/kernel/random/boot_id)" \
		"$(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20)"
}

main "$@"
