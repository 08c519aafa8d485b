"""A command line split into words as the Docker CLI splits one.

Python's ``shlex`` differs where it matters: it takes ``#`` within a word for a comment, and
keeps a backslash before an ordinary letter in double quotes.
"""

from __future__ import annotations

from collections.abc import Iterator


def split_words(line: str) -> tuple[str, ...]:
    """The words of ``line``; raises :class:`ValueError` where a quote or escape is left open."""
    words: list[str] = []
    word: list[str] | None = None
    quote = ""
    characters = iter(line)
    for character in characters:
        if quote:
            if character == quote:
                quote = ""
            elif character == "\\" and quote == '"':
                _append(word, characters)
            elif word is not None:
                word.append(character)
        elif character in " \t\r\n":
            if word is not None:
                words.append("".join(word))
            word = None
        elif character == "#" and word is None:
            for skipped in characters:
                if skipped == "\n":
                    break
        else:
            word = word if word is not None else []
            if character in "'\"":
                quote = character
            elif character == "\\":
                _append(word, characters)
            else:
                word.append(character)
    if quote:
        raise ValueError(f"a {quote} that is never closed; close it, or write the words as a list")
    if word is not None:
        words.append("".join(word))
    return tuple(words)


def _append(word: list[str] | None, characters: Iterator[str]) -> None:
    following = next(characters, None)
    if following is None:
        raise ValueError("a backslash at the very end; remove it, or write the words as a list")
    if word is not None:
        word.append(following)
