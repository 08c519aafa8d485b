"""SSH to a phone: bounded in time, and every failure a sentence that names the phone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from components.remote import ssh
from components.remote.ssh import AuthenticationError, Host, PhoneError, UnreachableError
from tests.unit.keys import private_key
from tests.unit.ssh_server import PASSWORD, Answer, phone


@pytest.fixture
def host(tmp_path: Path) -> Host:
    key = private_key(tmp_path / "id")
    return Host(name="phone-7", host="127.0.0.1", port=0, user="cloudlet", key_file=str(key))


@pytest.fixture
def server_key(tmp_path: Path) -> paramiko.PKey:
    return paramiko.PKey.from_path(private_key(tmp_path / "host"))


def test_a_password_lets_in_where_the_key_does_not_yet(
    host: Host, server_key: paramiko.PKey
) -> None:
    with phone(lambda _: Answer(stdout=b"hello\n"), key=server_key) as served:
        with ssh.connect(replace(host, port=served.port), PASSWORD) as session:
            assert session.run("anything").stdout == "hello\n"
            assert session.host_key == served.host_key


def test_a_wrong_password_is_named_and_not_shown(host: Host, server_key: paramiko.PKey) -> None:
    with phone(key=server_key) as served, pytest.raises(AuthenticationError) as caught:
        with ssh.connect(replace(host, port=served.port), "not-the-password"):
            pass
    assert "phone-7: cloudlet@127.0.0.1 accepts neither the key" in str(caught.value)
    assert "not-the-password" not in str(caught.value)


def test_a_refused_key_asks_for_the_password_to_be_configured(
    host: Host, server_key: paramiko.PKey
) -> None:
    with (
        phone(key=server_key) as served,
        pytest.raises(AuthenticationError, match="give cloudlet:"),
    ):
        with ssh.connect(replace(host, port=served.port)):
            pass


def test_a_replaced_phone_is_refused_and_says_what_to_do(
    host: Host, server_key: paramiko.PKey
) -> None:
    known = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnother"
    with phone(key=server_key) as served, pytest.raises(PhoneError, match="another host key"):
        with ssh.connect(replace(host, port=served.port, host_key=known), PASSWORD):
            pass
    assert served.logins == 0


def test_input_reaches_the_command_and_its_end_is_seen(
    host: Host, server_key: paramiko.PKey
) -> None:
    text = "x" * 300_000
    with phone(lambda _: Answer(echo=True, status=3, stderr=b"no"), key=server_key) as served:
        with ssh.connect(replace(host, port=served.port), PASSWORD) as session:
            result = session.run("cat", text)
    assert result == ssh.Result(status=3, stdout=text, stderr="no")


def test_a_command_that_ends_before_it_has_read_everything_says_why(
    host: Host, server_key: paramiko.PKey
) -> None:
    with phone(lambda _: Answer(status=1, stderr=b"sorry"), key=server_key) as served:
        with ssh.connect(replace(host, port=served.port), PASSWORD) as session:
            result = session.run("sudo", "x" * 5_000_000)
    assert result == ssh.Result(status=1, stdout="", stderr="sorry")


def test_a_command_that_does_not_end_is_given_up(host: Host, server_key: paramiko.PKey) -> None:
    with phone(lambda _: Answer(hold=threading.Event()), key=server_key) as served:
        with ssh.connect(replace(host, port=served.port), PASSWORD) as session:
            with pytest.raises(PhoneError, match="phone-7: a command did not end within 0 s"):
                session.run("sleep", seconds=0.2)


def silent() -> socket.socket:
    """A server that accepts and then says nothing, as a phone does whose flash is dying."""
    return socket.create_server(("127.0.0.1", 0))


def _open(host: Host) -> None:
    with ssh.connect(host):
        pass


@pytest.mark.parametrize("contact", [lambda host: ssh.read_banner(host, 0.2), _open])
def test_a_phone_that_accepts_and_stays_silent_is_given_up(
    host: Host, contact: Callable[[Host], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "BANNER_SECONDS", 0.2)
    started = time.monotonic()
    with silent() as server, pytest.raises(UnreachableError, match="phone-7 does not answer at"):
        contact(replace(host, port=server.getsockname()[1]))
    assert time.monotonic() - started < 5


def test_a_port_where_nothing_listens_is_named(host: Host) -> None:
    with silent() as server:
        port = server.getsockname()[1]
    with pytest.raises(UnreachableError) as caught:
        ssh.read_banner(replace(host, port=port))
    assert str(caught.value) == (
        f"phone-7 does not answer at 127.0.0.1:{port}: connection refused. "
        "Is it on, on this network, and is its sshd running?"
    )


def test_something_else_on_the_port_is_told_apart(host: Host) -> None:
    with silent() as server:
        port = server.getsockname()[1]

        def greet() -> None:
            connection, _ = server.accept()
            connection.sendall(b"220 mail\r\n")
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(UnreachableError, match="but not as SSH"):
            ssh.read_banner(replace(host, port=port))
        thread.join()


def test_a_missing_key_names_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(PhoneError, match=r"ssh\.privateKeyFile: .*/none does not exist"):
        ssh.load_key(str(tmp_path / "none"))


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    path = private_key(tmp_path / "locked", b"secret")
    with pytest.raises(PhoneError, match="has a passphrase"):
        ssh.load_key(str(path))


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PhoneError, match="is not a private key"):
        ssh.load_key(str(tmp_path / "text"))


def test_a_host_survives_pulumis_numbers(host: Host) -> None:
    properties = {**host.to_inputs(), "port": float(host.port)}
    assert Host.from_inputs(properties) == host


@pytest.mark.parametrize("attempt", [ssh.read_banner, _open])
def test_a_name_that_no_host_can_have_is_said_to_be_none(
    host: Host, attempt: Callable[[Host], object]
) -> None:
    with pytest.raises(UnreachableError, match="that is no host's name"):
        attempt(replace(host, host="a..b"))


def test_a_port_of_the_phones_loopback_is_reached_though_sshd_forwards_nothing(
    host: Host, server_key: paramiko.PKey
) -> None:
    with phone(lambda _: Answer(echo=True), key=server_key) as served:
        with ssh.connect(replace(host, port=served.port), PASSWORD) as session:
            channel = session.open_port(5081)
            channel.sendall(b"there and back")
            assert channel.recv(100) == b"there and back"
            channel.close()
    assert served.commands == ["busybox nc 127.0.0.1 5081; exec >/dev/null 2>&1; exec cat"]
