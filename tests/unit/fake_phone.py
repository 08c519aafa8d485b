"""A folder that the scripts take for a phone: files of its own, and programs that pretend.

The scripts run as they are but for the places of the phone's files; with BusyBox, every program
that is not faked is BusyBox's, as on postmarketOS.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from components.remote import shell

ADDRESS, PORT = "192.168.8.12", "4789"
# Calls of the scripts that make a phone ready.
NETWORK = ("network.sh", "phone-2", ADDRESS, PORT)
ENGINE = ("engine.sh", "cloudlet")
DAEMON_JSON = "etc/docker/daemon.json"
SHELLS = ("dash", "busybox")
_PLACES = re.compile(
    r"(?<![\w$}./])/(etc|run|var/lib|var/log|sys|proc(?=/(?:filesystems|meminfo|net|sys)))"
    r"(?=[/ \n\"';)])"
)
# A service is what it is told to be; both init systems keep that in the same two files.
_RC_SERVICE = """
case $2 in
start | restart) [ ! -e "$STATE/$1.stuck" ] && touch "$STATE/$1.on" ;;
stop) rm -f "$STATE/$1.on" ;;
status) [ -e "$STATE/$1.on" ] ;;
esac
"""
_RC_UPDATE = """
case $1 in
show) for file in "$STATE"/*.enabled; do [ ! -e "$file" ] || basename "$file" .enabled; done |
	sed 's/.*/ & | default/' ;;
esac
[ "$1" = --quiet ] && shift
case $1 in
add) touch "$STATE/$2.enabled" ;;
delete) rm "$STATE/$2.enabled" ;;
esac
"""
_SYSTEMCTL = """
while [ "${1#--}" != "$1" ]; do shift; done
task=$1; shift; while [ "${1#--}" != "$1" ]; do shift; done
case $task in
start | restart) [ ! -e "$STATE/$1.stuck" ] && touch "$STATE/$1.on" ;;
stop) rm -f "$STATE/$1.on" ;;
is-active) [ -e "$STATE/$1.on" ] ;;
enable) touch "$STATE/$1.enabled" ;;
disable) rm "$STATE/$1.enabled" ;;
is-enabled) [ -e "$STATE/$1.enabled" ] ;;
cat) [ -e "$STATE/$1.there" ] ;;
esac
"""
_DOCKER = """
[ -e "$STATE/docker.on" ] || exit 1
root=$(cat "$STATE/docker_root" 2>/dev/null) || root=${STATE%/*}/root/var/lib/docker
! grep -qs broken "${STATE%/*}/root/etc/docker/daemon.json" || exit 1
case $1 in
info) case $* in
	*docker_version*)
		printf '%s\\n' architecture=armv7l docker_version=28.3.3 "docker_root=$root" ;;
	*DockerRootDir*) echo "$root" ;;
	*) echo inactive ;;
	esac ;;
esac
"""
# It refuses what holds the word "refused", and does not come up with what holds "broken".
_DOCKERD = """
case $* in
*--help*) echo --validate ;;
*--validate*)
	shift
	case $* in *--refused*) echo --refused; exit 1 ;; esac
	if grep -q refused "$2"; then echo "unable to configure: refused" >&2; exit 1; fi ;;
esac
"""
_ID = """
case $1 in
-u) echo 0 ;;
-nG) echo cloudlet wheel $(cat "$STATE/groups" 2>/dev/null) ;;
-gn) echo cloudlet ;;
esac
"""
_USERMOD = 'printf "%s " "$2" >>"$STATE/groups"\n'
# A firewall whose chain is kept as lines; deletions are by the number of the line.
_NFT = """
chain=$STATE/chain
[ -e "$chain" ] || exit 1
case $1 in
-a) awk '{ print $0 " # handle " NR }' "$chain" ;;
list) cat "$chain" ;;
-f)
	cat >"$STATE/batch"
	sed -n 's/delete rule inet filter input handle //p' "$STATE/batch" >"$STATE/gone"
	awk -v gone="$STATE/gone" 'BEGIN { while ((getline line < gone) > 0) off[line] = 1 }
		!(NR in off)' "$chain" >"$chain.new"
	grep 'accept comment' "$STATE/batch" >>"$chain.new" || true
	mv "$chain.new" "$chain"
	;;
esac
"""
_IP = """
case $* in
*address*) echo "2: wlan0    inet 192.168.8.12/24 brd 192.168.8.255 scope global wlan0" ;;
*link*) [ ! -e "$STATE/no_vxlan" ] ;;
*"route show default"*) cat "$STATE/route" 2>/dev/null ;;
esac
"""
# -P, megabytes: the fourth column is what is free; on a card there is more.
_DF = """
case $2 in *card*) free=64000 ;; *) free=$(cat "$STATE/free_disk" 2>/dev/null || echo 9000) ;; esac
printf "Filesystem\nx 9 9 %s 9 /\n" "$free"
"""
# Fails where the chain is not there.
_IPTABLES = '[ ! -e "$STATE/flushed" ]\n'
_DATE = """
case $* in
*-s*) echo 0 >"$STATE/clock_off" ;;
*) echo $(($(cat "$STATE/clock") + $(cat "$STATE/clock_off" 2>/dev/null || echo 0))) ;;
esac
"""


def _obeys_path(busybox: str, folder: Path) -> bool:
    """Whether a program on PATH goes before the one that is built in.

    Built for a rescue disk, BusyBox's shell calls its own first, and a test that sets the fake
    phone's clock would set this machine's.
    """
    folder = folder / "asked"
    folder.mkdir()
    fake = folder / "date"
    fake.write_text("#!/bin/sh\necho fake\n")
    fake.chmod(0o755)
    told = subprocess.run(
        [busybox, "sh", "-c", "date"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout == "fake\n"


class FakePhone:
    """One phone. ``state`` holds what its programs pretend."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.root = folder / "root"
        self.state = folder / "state"
        self._bin = folder / "bin"
        self._log = folder / "log"
        docker = self.root / "var/lib/docker"
        for made in (self.root / "etc", self.root / "sys", docker, self.state, self._bin):
            made.mkdir(parents=True)
        self._shell = [self._busybox(folder), "sh"] if kind == "busybox" else ["/bin/dash"]
        bodies = {
            "rc-service": _RC_SERVICE,
            "rc-update": _RC_UPDATE,
            "docker": _DOCKER,
            "dockerd": _DOCKERD,
            "pidof": "",
            "modprobe": '[ ! -e "$STATE/no_modules" ]\n',
            "df": _DF,
            "id": _ID,
            "usermod": _USERMOD,
            "ip": _IP,
            "iptables": _IPTABLES,
            "date": _DATE,
            "chown": "",
        }
        for name, body in bodies.items():
            self.program(name, body)
        (self.state / "clock").write_text("1000")
        self.write("proc/meminfo", "MemTotal: 1949696 kB\nMemAvailable: 1228800 kB\n")
        self.write("proc/filesystems", "nodev\toverlay\n")
        self.write("sys/fs/cgroup/cgroup.controllers", "memory\n")

    def _busybox(self, folder: Path) -> str:
        busybox = shutil.which("busybox")
        if busybox is None:
            pytest.skip("busybox is not installed here; the tests of the lab use a phone's")
        if not _obeys_path(busybox, folder):
            pytest.skip("this busybox runs programs of its own before those on PATH")
        applets = folder / "applets"
        applets.mkdir()
        subprocess.run([busybox, "--install", "-s", applets], check=True)
        self._path = str(applets)
        return busybox

    _path = "/usr/bin:/bin"

    def program(self, name: str, body: str) -> None:
        """Puts a program in front of the real one; ``$STATE`` is the folder of its state."""
        file = self._bin / name
        file.write_text(
            f'#!/bin/sh\nSTATE={self.state}\nprintf "%s\\n" "{name} $*" >>{self._log}\n{body}'
        )
        file.chmod(0o755)

    def without_docker(self, *managers: str) -> None:
        """Docker is in the packages of those programs, as ``apk``; nothing of this machine's own is
        there but what each phone has."""
        tools = self.root.parent / "tools"
        packages = self.root.parent / "packages"
        tools.mkdir()
        packages.mkdir()
        needed = "sh cat sed grep tr awk cut head mkdir mv chmod touch rm basename base64 sort tail"
        for name in needed.split():
            found = shutil.which(name)
            assert found, name
            (tools / name).symlink_to(found)
        self._path = str(tools)
        for name in ("docker", "dockerd"):
            (self._bin / name).rename(packages / name)
        for name in managers:
            install = (
                f"case $* in *add*|*install*) mv {packages}/* {self._bin}/ 2>/dev/null ;; esac\n"
            )
            self.program(name, f"{install}true\n")

    def with_systemd(self) -> None:
        (self.root / "run/systemd/system").mkdir(parents=True)
        self.program("systemctl", _SYSTEMCTL)

    def with_firewall(self, *, read_at_boot: bool = True) -> None:
        self.program("nft", _NFT)
        (self.state / "chain").write_text(
            "\t\ttype filter hook input priority filter; policy drop;\n\t\ttcp dport 22 accept\n"
        )
        include = 'include "/etc/nftables.d/*.nft"\n' if read_at_boot else ""
        self.write("etc/nftables.nft", f"flush ruleset\n{include}")

    def with_wifi(self) -> None:
        """NetworkManager manages a wifi device that is on no network."""
        self.program(
            "nmcli", 'case $* in *"device status"*) echo wlan0:wifi:disconnected ;; esac\n'
        )

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def text(self, text: str) -> str:
        """A script's text with the phone's places under this root."""
        return _PLACES.sub(rf"{self.root}/\1", text)

    def run(
        self, name: str, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``scripts/<name>`` as on a phone: by standard input."""
        text = self.text(shell.script(name, settings))
        # The scripts put the phone's own folders behind PATH: this one has none.
        text = text.replace("$PATH:/usr/sbin:/sbin", f"{self._bin}:$PATH")
        # What is waited for comes at once here, or never.
        text = text.replace("sleep 1\n", "sleep 0\n").replace("sleep 0.2", "sleep 0")
        for often, seldom in (("often=15\n", "often=0\n"), ("left - 1))", "left - 30))")):
            assert often in text
            text = text.replace(often, seldom)
        return subprocess.run(
            [*self._shell, "-s", "--", *arguments],
            input=text,
            env={"PATH": f"{self._bin}:{self._path}", "HOME": str(self.root)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def succeeds(self, name: str, *arguments: str, **settings: str) -> str:
        done = self.run(name, *arguments, settings=settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_right_for_good(self, name: str, *arguments: str, **settings: str) -> str:
        """What the script says, which run a second time finds nothing to change."""
        said = self.succeeds(name, *arguments, **settings)
        before = self.files()
        self.succeeds(name, *arguments, **settings)
        assert self.files() == before
        return said

    def fails(self, name: str, *arguments: str, **settings: str) -> str:
        """The script's last words."""
        done = self.run(name, *arguments, settings=settings)
        assert done.returncode != 0, done.stdout
        return done.stderr.strip()

    def calls(self) -> list[list[str]]:
        """What was asked of the programs since the last time; none of it changed this question."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return [shlex.split(line) if "'" not in line else line.split() for line in lines]

    def files(self) -> dict[str, tuple[int, str]]:
        """Every file of the phone and of its programs' state: mode and content."""
        return {
            str(file.relative_to(self.root.parent)): (file.stat().st_mode, file.read_text())
            for top in (self.root, self.state)
            for file in sorted(top.rglob("*"))
            if file.is_file() and file.name not in ("batch", "gone")
        }
