"""Becoming root: by whichever of sudo, sudo-rs and doas a phone has, asking or not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.phones import access
from components.phones.access import Root
from components.remote import shell, terminal
from components.remote.ssh import Host, PhoneError, Result

PASSWORD = "let-me-in"
HOST = Host(name="phone-7", host="h", port=22, user="cloudlet", key_file="k")
# Each as the program itself says it on a terminal.
SUDO_RIGHT = (b"[sudo] password for cloudlet: ", b"\r\n")
SUDO_WRONG = (
    b"We trust you have received the usual lecture.\r\nThe password you type will not be "
    b"visible:\r\n\r\n[sudo] password for cloudlet: ",
    b"\r\nSorry, try again.\r\n[sudo] password for cloudlet: ",
)
SUDO_RS_WRONG = (
    b"[sudo: authenticate] Password: ",
    b"\r\nsudo: Authentication failed, try again.\r\n[sudo: authenticate] Password: ",
)
DOAS_WRONG = (b"\rdoas (cloudlet@phone) password: ", b"\r\ndoas: Authentication failed\r\n")
DOAS_NO_RULE = (b"doas: Operation not permitted\r\n",)
SUDO_NO_RULE = (
    b"[sudo] password for cloudlet: ",
    b"\r\ncloudlet is not in the sudoers file.\r\n",
)


class Terminal:
    """The channel of a command that says ``words``, the next each time it is answered."""

    def __init__(self, words: tuple[bytes, ...], status: int) -> None:
        self._words = list(words)
        self._status = status
        self._heard = True
        self.typed: list[bytes] = []

    def recv(self, _size: int) -> bytes:
        if not self._heard:
            raise TimeoutError
        self._heard = False
        return self._words.pop(0) if self._words else b""

    def sendall(self, data: bytes) -> None:
        self.typed.append(data)
        self._heard = True

    @property
    def eof_received(self) -> bool:
        return not self._words and not self._heard

    def exit_status_ready(self) -> bool:
        return self.eof_received

    def recv_exit_status(self) -> int:
        return self._status

    def settimeout(self, _seconds: float) -> None: ...

    def close(self) -> None: ...


class Phone:
    """A session whose terminal is ``channel``, on a phone that looks like ``root``."""

    host = HOST

    def __init__(self, root: str, words: tuple[bytes, ...] = (), status: int = 1) -> None:
        self._root = root
        self.channel = Terminal(words, status)
        self.lines: list[str] = []

    def run(self, _command: str) -> Result:
        return Result(status=0, stdout=self._root, stderr="")

    def open_channel(self, command: str, *, terminal: bool) -> Terminal:
        assert terminal
        self.lines.append(command)
        return self.channel


def using(function: Callable[..., Any], phone: Phone, password: str = PASSWORD) -> Any:
    return function(phone, password)


def test_where_root_asks_nothing_a_configured_password_is_not_used() -> None:
    """Also on a phone with doas alone, which has no sudo to give the password to."""
    for root in ("sudo\nfree\n", "doas\nfree\n"):
        phone = Phone(root)
        using(access.check, phone)
        using(access.open_up, phone)
        assert phone.lines == []


@pytest.mark.parametrize("tool", ["sudo", "doas"])
def test_the_password_goes_to_the_prompt_and_into_no_command_line(tool: str) -> None:
    phone = Phone(f"{tool}\nasks\n", SUDO_RIGHT, status=0)
    using(access.check, phone)
    assert phone.channel.typed == [f"{PASSWORD}\n".encode()]
    assert phone.lines == [f"stty -echo; export LC_ALL=C; {tool} true"]


@pytest.mark.parametrize(
    ("root", "words", "message"),
    [
        ("sudo asks", SUDO_WRONG, "phone-7: sudo does not accept the password for cloudlet"),
        ("sudo asks", SUDO_RS_WRONG, "phone-7: sudo does not accept the password for cloudlet"),
        ("doas asks", DOAS_WRONG, "phone-7: doas does not accept the password for cloudlet"),
        ("doas asks", DOAS_NO_RULE, "phone-7: cloudlet may not become root with doas; allow it"),
        ("sudo asks", SUDO_NO_RULE, "phone-7: cloudlet may not become root with sudo; allow it"),
        ("none asks", (), "phone-7: neither sudo nor doas is there; install one"),
        ("sudo asks", (b"sudo: disk full\r\n",), "phone-7: sudo: sudo: disk full"),
    ],
)
def test_what_keeps_from_root_is_said(root: str, words: tuple[bytes, ...], message: str) -> None:
    phone = Phone(root, words)
    with pytest.raises(PhoneError, match=message):
        using(access.check, phone)
    assert len(phone.channel.typed) <= 1, "a refused password is not tried again"


def test_without_a_password_it_is_said_how_to_give_one() -> None:
    with pytest.raises(PhoneError, match="none is configured; set it with `pulumi config set"):
        using(access.check, Phone("doas asks"), "")


def test_a_rule_without_effect_is_named() -> None:
    phone = Phone("doas asks", (b"password: ", b"/etc/doas.d/zz.conf\r\n"), status=0)
    with pytest.raises(PhoneError, match=r"still asks for a password although /etc/doas.d/zz.conf"):
        using(access.open_up, phone)


def test_a_secret_that_the_terminal_shows_all_the_same_is_taken_out() -> None:
    phone: Any = Phone("", (b"password: ", f"{PASSWORD}\r\nrefused\r\n".encode()))
    assert terminal.answer(phone, "doas true", PASSWORD).stdout == "[secret]\nrefused"


def test_a_command_that_waits_for_ever_is_given_up() -> None:
    phone: Any = Phone("", (b"Touch the key", b"never heard"))
    with pytest.raises(PhoneError, match="did not end within 1 s"):
        terminal.answer(phone, "sudo true", PASSWORD, 1)


def test_looking_tells_sudo_from_its_shim_and_whether_it_asks(tmp_path: Path) -> None:
    """With the question itself, asked of programs that answer as the real ones."""
    asking = "#!/bin/sh\nexit 1\n"
    real = '#!/bin/sh\n[ "$1" = -V ] || [ "$1" = -n ]\n'
    shim = '#!/bin/sh\n[ "$1" = -n ]\n'
    assert looked(tmp_path / "a", sudo=real) == Root(tool="sudo", asks=False)
    assert looked(tmp_path / "b", sudo=shim, doas=shim) == Root(tool="doas", asks=False)
    assert looked(tmp_path / "c", sudo=asking, doas=asking) == Root(tool="doas", asks=True)
    assert looked(tmp_path / "d", doas=asking) == Root(tool="doas", asks=True)


def looked(folder: Path, **programs: str) -> Root:
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    class Local:
        host = HOST

        def run(self, command: str) -> Result:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                env={"PATH": str(folder)},
                capture_output=True,
                text=True,
                check=False,
            )
            return Result(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    return access.look(Local())  # type: ignore[arg-type]


def test_the_rules_text_is_short_enough_for_a_command_line() -> None:
    assert len(shell.text("root_rule.sh")) < 2000
