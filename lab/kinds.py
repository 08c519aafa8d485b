"""What a simulated phone is like: phones of the field differ, and so do these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.errors import LabError

DEFAULT = "sudo"
# How one becomes root: a phone has one of these.
_ROOT = (DEFAULT, "sudo-rs", "doas")
_ADDITIONS = ("systemd", "firewall", "wrong-clock")
WORDS = _ROOT + _ADDITIONS


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A phone's kind. `words` name how one becomes root first, then what else differs."""

    words: tuple[str, ...] = (DEFAULT,)

    def __str__(self) -> str:
        return ",".join(self.words)

    @property
    def has_systemd(self) -> bool:
        return "systemd" in self.words


def parse(text: str) -> Kind:
    """A kind from words with commas between them, in any order; raises LabError."""
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in WORDS:
            raise LabError(f"kind {word!r} is not known: use {', '.join(WORDS)}")
    roots = [word for word in _ROOT if word in words]
    if len(roots) > 1:
        raise LabError(f"kind {text!r}: a phone has one of {', '.join(roots)}, not both")
    additions = [word for word in _ADDITIONS if word in words]
    return Kind(words=(*(roots or [DEFAULT]), *additions))


def parse_all(options: Iterable[str]) -> dict[str, Kind]:
    """Kinds by phone, from options such as `phone-2=doas,firewall`; raises LabError."""
    kinds: dict[str, Kind] = {}
    for option in options:
        phone, equals, words = option.partition("=")
        if not equals:
            raise LabError(f"--kind {option}: write a phone and its kind, such as phone-2=doas")
        if phone in kinds:
            raise LabError(f"--kind names {phone} twice: put the words into one, with commas")
        kinds[phone] = parse(words)
    return kinds


def require_same(wanted: Mapping[str, Kind], there: Mapping[str, Kind]) -> None:
    """Raises LabError with one line for each phone that is there and of another kind."""
    others = [
        f"{phone} is of the kind {there[phone]}, and a phone keeps its kind: "
        f"the command `replace {phone} --kind {kind}` puts another in its place"
        for phone, kind in wanted.items()
        if there.get(phone, kind) != kind
    ]
    if others:
        raise LabError("\n".join(others))
