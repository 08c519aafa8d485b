"""What a simulated phone is like, from the words of a command line."""

from __future__ import annotations

import pytest

from lab import kinds
from lab.errors import LabError
from lab.kinds import Kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sudo", ("sudo",)),
        ("firewall", ("sudo", "firewall")),
        ("firewall, doas", ("doas", "firewall")),
        ("firewall,sudo-rs", ("sudo-rs", "firewall")),
    ],
)
def test_a_kind_says_how_one_becomes_root_first(text: str, words: tuple[str, ...]) -> None:
    assert kinds.parse(text) == Kind(words=words)
    assert kinds.parse(str(Kind(words=words))) == Kind(words=words)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("phone-2", "write a phone and its kind"),
        ("phone-2=", "kind '' is not known: use sudo, sudo-rs, doas"),
        ("phone-2=android", "kind 'android' is not known"),
        ("phone-2=doas,sudo", "one of sudo, doas, not both"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(option: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        kinds.parse_all([option])


def test_a_phone_has_one_kind() -> None:
    assert kinds.parse_all(["phone-2=doas", "phone-3=sudo-rs"]).keys() == {"phone-2", "phone-3"}
    with pytest.raises(LabError, match="names phone-2 twice"):
        kinds.parse_all(["phone-2=doas", "phone-2=firewall"])
