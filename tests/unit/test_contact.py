"""When a phone is contacted again."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from components import contact
from components.contact import ContactProvider
from components.remote.ssh import Host

HOST = Host(name="phone-7", host="h", port=22, user="cloudlet", key_file="k")
RECORDED, OTHER = "ssh-ed25519 AAAA", "ssh-ed25519 BBBB"


def changes(before: Host, after: Host) -> bool | None:
    inputs: dict[str, Any] = {"password": "x", "cleanup": []}
    state = {**inputs, "phone": before.to_inputs(), "host_key": RECORDED, "found": {}}
    return ContactProvider().diff("", state, {**inputs, "phone": after.to_inputs()}).changes


@pytest.mark.parametrize("before", ["", RECORDED])
@pytest.mark.parametrize("after", ["", RECORDED])
def test_the_recorded_host_key_may_be_written_down_or_left_out(before: str, after: str) -> None:
    assert not changes(HOST.with_host_key(before), HOST.with_host_key(after))


def test_another_key_or_place_is_another_contact() -> None:
    assert changes(HOST, HOST.with_host_key(OTHER))
    assert changes(HOST.with_host_key(RECORDED), HOST.with_host_key(OTHER))
    assert changes(HOST, replace(HOST, port=23))
    assert changes(HOST, replace(HOST, port=23, host_key=RECORDED))


def test_a_recorded_key_is_told_as_the_phone_itself_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = (
        Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    )
    monkeypatch.setattr(
        contact, "first_contact", lambda host, password: {"host_key": key.decode(), "found": {}}
    )
    inputs = {"phone": HOST.to_inputs(), "password": "x", "cleanup": []}
    assert ContactProvider().create(inputs).outs
    digest = base64.b64encode(hashlib.sha256(base64.b64decode(key.split()[1])).digest())
    shown = digest.decode().rstrip("=")
    assert capsys.readouterr().out == f"phone-7: host key recorded, SHA256:{shown}\n"
    inputs["phone"] = HOST.with_host_key(key.decode()).to_inputs()
    ContactProvider().create(inputs)
    assert capsys.readouterr().out == ""
