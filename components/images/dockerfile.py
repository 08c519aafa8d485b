"""What is certainly wrong with a Dockerfile, so that a plan can tell what a builder would. Pure.

Only what needs no more than to read its FROMs; whatever could be one counts as one.
"""

from __future__ import annotations

import re

from components.compose.node import one_of

_DIRECTIVE = re.compile(r"#\s*(?P<name>[a-z]+)\s*=\s*(?P<value>\S+)\s*")
# Of these, all versions and whichever registry has them: docker/dockerfile:1, say.
_USUAL = re.compile(r"(?:.*/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")
# How other languages begin, or comments in which they are named.
_OTHER = ("#!", "//", "{")
_COMMENT = re.compile(r"^[ \t]*#.*\n?", re.MULTILINE)
_BLANK = re.compile(r"^[ \t]*\n", re.MULTILINE)
_CONTINUED = r"[ \t]*\n"
_FROM = re.compile(r"^[ \t]*FROM[ \t]+(.*)", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"[ \t]AS[ \t]+(\S+)", re.IGNORECASE)


def mistake(text: str, target: str) -> str:
    """Words that go on from the Dockerfile's name; nothing where it may well be right.

    ``target`` is the stage to be built, empty for the last one.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    directives = _directives(text)
    usual = _USUAL.fullmatch(directives.get("syntax", "docker/dockerfile"))
    if not usual or text.startswith(_OTHER):
        return ""
    lines = _BLANK.sub("", _COMMENT.sub("", text))
    if not lines.strip():
        return "is empty; it begins with FROM and an image"
    joined = re.sub(re.escape(directives.get("escape", "\\")) + _CONTINUED, " ", lines)
    stages = _FROM.findall(joined)
    if not stages:
        return "has no FROM; it begins with FROM and an image"
    names = [name.lower() for stage in stages for name in _NAME.findall(stage)]
    if not target or target.lower() in names or (target.isdecimal() and int(target) < len(stages)):
        return ""
    how = one_of(names) if names else f"FROM … AS {target}, or remove target"
    return f'has no stage "{target}" for target; write {how}'


def _directives(text: str) -> dict[str, str]:
    """What the comments before anything else say to the builder."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _DIRECTIVE.fullmatch(line.strip().lower())
        if match is None:
            break
        found[match["name"]] = match["value"]
    return found
