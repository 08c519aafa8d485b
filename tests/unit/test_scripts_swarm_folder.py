"""The swarm's folder is copied and put while Docker is stopped, and Docker always runs after."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path

import pytest
from fake_phone import SHELLS, FakePhone

SCRIPT = "swarm_folder.sh"
_DOCKER = """
[ -e "$STATE/docker.on" ] || exit 1
case $* in
version*) echo 29.5.3 ;;
*RootDir*) echo "$STATE/../root/var/lib/docker" ;;
*LocalNodeState*) cat "$STATE/swarm" ;;
esac
"""
# With the wrong folder in place Docker does not come up.
_RC_SERVICE = """
case $2 in
start)
	[ ! -e "$STATE/../root/var/lib/docker/swarm/broken" ] || exit 1
	touch "$STATE/$1.on" ;;
stop) [ -e "$STATE/stubborn" ] || rm -f "$STATE/$1.on" ;;
status) [ -e "$STATE/$1.on" ] ;;
esac
"""
_TAR = """
if [ -e "$STATE/docker.on" ]; then echo yes; else echo no; fi >"$STATE/docker_ran"
[ ! -e "$STATE/full" ] || exit 1
PATH=${PATH#*:} exec tar "$@"
"""


@pytest.fixture(params=SHELLS)
def phone(request: pytest.FixtureRequest, tmp_path: Path) -> FakePhone:
    made = FakePhone(tmp_path, request.param)
    for name, body in {
        "docker": _DOCKER,
        "rc-service": _RC_SERVICE,
        "tar": _TAR,
        "pidof": '[ -e "$STATE/docker.on" ]',
        "sleep": "",
    }.items():
        made.program(name, body)
    (made.state / "docker.on").touch()
    (made.state / "swarm").write_text("active\n")
    made.write("var/lib/docker/swarm/docker-state.json", "{}")
    made.write("var/lib/docker/swarm/raft/wal/0.wal", "entries")
    return made


def runs(phone: FakePhone) -> bool:
    return (phone.state / "docker.on").exists()


def left_behind(phone: FakePhone) -> list[str]:
    return [each.name for each in (phone.root / "var/lib/cloudlet").iterdir()]


def a_folder(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"swarm/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


def blank(phone: FakePhone, folder: bytes) -> Path:
    """A phone in no swarm, to which a folder was sent; where that is."""
    (phone.state / "swarm").write_text("inactive\n")
    file = phone.root / "sent.tar.gz"
    file.write_bytes(folder)
    return file


def test_the_copy_holds_the_folder_as_it_is_while_docker_is_stopped(phone: FakePhone) -> None:
    packed = base64.b64decode(phone.succeeds(SCRIPT, "take"))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        files = {each.name for each in tar if each.isfile()}
    assert files == {"swarm/docker-state.json", "swarm/raft/wal/0.wal"}
    assert (phone.state / "docker_ran").read_text() == "no\n"
    assert runs(phone)
    assert left_behind(phone) == []


def test_docker_runs_again_where_the_copy_fails(phone: FakePhone) -> None:
    (phone.state / "full").touch()
    assert phone.fails(SCRIPT, "take") == "the swarm's folder could not be copied"
    assert runs(phone)
    assert left_behind(phone) == []


def test_nothing_is_copied_from_a_docker_that_does_not_stop(phone: FakePhone) -> None:
    (phone.state / "stubborn").touch()
    assert phone.fails(SCRIPT, "take") == "Docker did not stop"
    assert not (phone.state / "docker_ran").exists()


def test_systemd_does_not_start_docker_meanwhile(phone: FakePhone) -> None:
    phone.with_systemd()
    (phone.state / "docker.socket.on").touch()
    phone.succeeds(SCRIPT, "take")
    stops = [call[2] for call in phone.calls() if call[:2] == ["systemctl", "stop"]]
    assert stops == ["docker.socket", "docker"]
    assert runs(phone)


def test_a_folder_is_put_on_a_phone_in_no_swarm(phone: FakePhone) -> None:
    sent = blank(phone, a_folder(state="of the backup"))
    phone.succeeds(SCRIPT, "put", str(sent))
    folder = phone.root / "var/lib/docker"
    assert [each.name for each in folder.iterdir()] == ["swarm"]
    assert [each.name for each in (folder / "swarm").iterdir()] == ["state"]
    assert runs(phone)
    assert not sent.exists()


def test_a_phone_that_is_in_a_swarm_keeps_it(phone: FakePhone) -> None:
    sent = blank(phone, a_folder(state="of the backup"))
    (phone.state / "swarm").write_text("active\n")
    said = phone.fails(SCRIPT, "put", str(sent))
    assert said == "the phone is in a swarm already; its state there is active"
    assert phone.read("var/lib/docker/swarm/raft/wal/0.wal") == "entries"
    assert not sent.exists()


def test_docker_that_does_not_start_with_it_runs_without_it(phone: FakePhone) -> None:
    sent = blank(phone, a_folder(broken="yes"))
    said = phone.fails(SCRIPT, "put", str(sent))
    assert said == "Docker did not start with the swarm of the backup; it was taken away again"
    assert not (phone.root / "var/lib/docker/swarm").exists()
    assert runs(phone)


def test_what_is_no_folder_changes_nothing(phone: FakePhone) -> None:
    sent = blank(phone, b"nonsense")
    assert "the swarm's folder could not be unpacked" in phone.fails(SCRIPT, "put", str(sent))
    assert phone.read("var/lib/docker/swarm/raft/wal/0.wal") == "entries"
    assert runs(phone)


def test_keys_that_were_sent_to_a_phone_without_docker_do_not_stay_there(phone: FakePhone) -> None:
    sent = blank(phone, a_folder(state="of the backup"))
    (phone.state / "docker.on").unlink()
    assert phone.fails(SCRIPT, "put", str(sent)) == "Docker gives no answer"
    assert not sent.exists()
