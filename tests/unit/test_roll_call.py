"""Becoming root: whichever of sudo and doas a phone has, with a password only where it is asked."""

from __future__ import annotations

import pytest

from components.roll_call import RollCallProvider, root_asks_password
from components.ssh import Host, PhoneError, Result

PASSWORD = "let-me-in"
HOST = Host(name="phone-7", host="h", port=22, user="cloudlet", key_file="k")


class Phone:
    """A session whose commands succeed if ``works`` has their beginning."""

    host = HOST

    def __init__(self, *works: str) -> None:
        self._works = works

    def run(self, command: str, stdin: str = "") -> Result:
        ok = command.startswith(self._works)
        if "-S" in command:
            ok = ok and stdin == f"{PASSWORD}\n"
        return Result(status=0 if ok else 1, stdout="", stderr="")


def asks(phone: Phone, password: str) -> bool:
    return root_asks_password(phone, password)  # type: ignore[arg-type]


def test_where_root_asks_nothing_a_configured_password_is_not_used() -> None:
    """A phone with doas alone has no sudo to give the password to."""
    assert not asks(Phone('"$(command'), PASSWORD)


def test_sudo_is_given_the_password_that_it_asks_for() -> None:
    assert asks(Phone("command -v sudo", "sudo -S"), PASSWORD)


@pytest.mark.parametrize(
    ("phone", "password", "message"),
    [
        (
            Phone("command -v sudo", "sudo -S"),
            "wrong",
            "sudo does not accept the password for cloudlet",
        ),
        (Phone("command -v sudo", "sudo -S"), "", "none is configured"),
        (Phone(), PASSWORD, "doas asks for a password on a terminal only"),
    ],
)
def test_what_keeps_from_root_is_said(phone: Phone, password: str, message: str) -> None:
    with pytest.raises(PhoneError, match=message):
        asks(phone, password)


def test_a_phone_that_is_taken_out_is_not_called_and_does_not_show_in_a_plan() -> None:
    one, two = HOST.to_inputs(), HOST.to_inputs() | {"port": 23}
    provider = RollCallProvider()

    def changes(olds: dict[str, object], news: dict[str, object]) -> bool | None:
        return provider.diff("", {"phones": olds}, {"phones": news}).changes

    assert not changes({"one": one, "two": two}, {"one": one})
    assert changes({"one": one}, {"one": one, "two": two})
    assert changes({"one": one}, {"one": two})
