"""Texts that run on a phone: which script, with which arguments, and with what on its input.

A script travels on standard input and the command line only says what it is given. So a plan and
an error show one short line, nothing of cloudlet's stays on the phone, and a secret, which is set
in front of the script, appears in neither.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from importlib.resources import files

_SCRIPTS = files("components") / "scripts"
_HERE_DOCUMENT = re.compile(r"<<-?'?(?P<end>[A-Z]+)'?$")
# doas and sudo both know -n (never ask); a phone has one of them, or a sudo that is doas.
AS_ROOT = '"$(command -v sudo || command -v doas)" -n '


def command(*arguments: str, root: bool = False) -> str:
    """The command line that runs whatever script stands on its standard input."""
    return (AS_ROOT if root else "") + shlex.join(["sh", "-s", "--", *arguments])


def script(name: str, secrets: Mapping[str, str] | None = None) -> str:
    """The text for standard input: ``secrets`` as shell variables, then ``scripts/<name>``.

    Secret where a value in ``secrets`` is; the caller marks it so.
    """
    settings = "".join(f"{key}={shlex.quote(value)}\n" for key, value in (secrets or {}).items())
    return settings + text("lib.sh") + text(name)


def text(name: str) -> str:
    """``scripts/<name>`` but for its comments: the state holds it twice for every phone."""
    return without_comments((_SCRIPTS / name).read_text(encoding="utf-8"))


def without_comments(script: str) -> str:
    """``script`` without its empty lines and those that are a comment; what it writes into files,
    by here-documents, is kept whole.
    """
    kept: list[str] = []
    end = None
    for line in script.splitlines(keepends=True):
        bare = line.strip()
        if end is None and (not bare or bare.startswith("#")):
            continue
        kept.append(line)
        if end is None:
            begun = _HERE_DOCUMENT.search(line)
            end = begun and begun["end"]
        elif bare == end:
            end = None
    return "".join(kept)


def parse_facts(text: str) -> dict[str, str]:
    """``name=value`` lines as a map; other lines are left out."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}
