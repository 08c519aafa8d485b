# root_rule.sh sudo|doas USER, as root: USER becomes root without a password from now on.
# Prints the file that says so. This text stands in a command line, the input being a terminal's
# where the password goes: so it is short, and comes without lib.sh.
# shellcheck shell=sh
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
umask 077

# put FILE MODE, in one step. A dot in its name keeps sudo from reading the file too early.
put() {
	cat >"$1.new"
	chmod "$2" "$1.new"
	mv "$1.new" "$1"
	printf '%s\n' "$1"
}

# Rules are read in the order of the files' names, and the last one that matches counts.
main() {
	if [ "$1" = sudo ]; then
		mkdir -p /etc/sudoers.d
		echo "$2 ALL=(ALL) NOPASSWD: ALL" | put "/etc/sudoers.d/zz-cloudlet-$2" 440
	elif [ -d /etc/doas.d ]; then
		echo "permit nopass $2" | put "/etc/doas.d/zz-cloudlet-$2.conf" 400
	else
		# Without Alpine's change, doas reads one file only.
		{ sed "/^permit nopass $2\$/d" /etc/doas.conf && echo "permit nopass $2"; } | put /etc/doas.conf 400
	fi
}

main "$@"
