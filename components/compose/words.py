"""A command line split into words as the Docker CLI splits one.

Python's ``shlex`` differs where it matters: it takes ``#`` within a word for a comment, and
keeps a backslash before an ordinary letter in double quotes.
"""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"[ \t\r\n]+|#[^\n]*")
_PIECE = re.compile(
    r"""'(?P<plain>[^']*)' | "(?P<quoted>(?:[^"\\]|\\.)*)" | \\(?P<escaped>.)
        | (?P<bare>[^ \t\r\n'"\\]+)""",
    re.DOTALL | re.VERBOSE,
)


def split_words(line: str) -> tuple[str, ...]:
    """The words of ``line``; raises :class:`ValueError` where a quote or escape is left open."""
    words: list[str] = []
    position = 0
    while position < len(line):
        if between := _BETWEEN.match(line, position):
            position = between.end()
            continue
        word = ""
        while piece := _PIECE.match(line, position):
            word += _meant(piece)
            position = piece.end()
        if position < len(line) and line[position] not in " \t\r\n":
            what = "a backslash at its end" if line[position] == "\\" else "a quote left open"
            raise ValueError(f"{what}; close it, or write the words as a list")
        words.append(word)
    return tuple(words)


def _meant(piece: re.Match[str]) -> str:
    if piece["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", piece["quoted"], flags=re.DOTALL)
    return piece["plain"] or piece["escaped"] or piece["bare"] or ""
