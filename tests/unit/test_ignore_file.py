"""What a ``.dockerignore`` leaves out: what Docker would."""

from __future__ import annotations

import pytest

from components.images.ignore_file import IgnoreError, parsed


@pytest.mark.parametrize(
    ("patterns", "path", "is_ignored"),
    [
        ("*.md\n!README.md", "notes.md", True),
        ("*.md\n!README.md", "README.md", False),
        ("!README.md\n*.md", "README.md", True),
        ("*.md", "docs/notes.md", False),
        ("*.md", "notes.md/deep", True),
        ("**/*.md", "docs/deep/notes.md", True),
        ("**/*.md", "notes.md", True),
        ("**/**/*.md", "docs/notes.md", True),
        ("docs/\n", "docs/notes.md", True),
        ("/docs", "docs/notes.md", True),
        ("docs", "other/docs", False),
        ("docs\n!docs/kept", "docs/kept/notes.md", False),
        ("docs\n!docs/kept\ndocs/kept/notes.md", "docs/kept/notes.md", True),
        ("docs/*\n!docs/README.md", "docs/README.md", False),
        ("./docs", "docs/notes.md", True),
        ("a/../docs//deep", "docs/deep", True),
        ("docs/**", "docs", False),
        ("docs/**", "docs/deep/notes.md", True),
        ("docs**", "docs2/notes.md", True),
        ("**/docs", "docs", True),
        ("**/docs", "other/docs/notes.md", True),
        ("**/docs", "other.docs", False),
        ("**docs", "other.docs", True),
        ("**", "docs/notes.md", True),
        ("**/docs/*", "a/docs/notes.md", True),
        ("a**/*.md", "a/b/c/notes.md", True),
        ("*\n!www", "www/index.html", False),
        ("*\n!www", "www", False),
        ("*\n!www", "Dockerfile", True),
        ("*\n!www", "other", True),
        ("*\n!www", "other/deep/x", True),
        ("*\n!www\nwww/*.bak", "www/a.bak", True),
        ("**\n!www", "other/deep/x", True),
        ("te?p", "temp", True),
        ("te?p", "te/p", False),
        ("a.b", "axb", False),
        ("a+(b)|{c}$", "a+(b)|{c}$", True),
        ("w[12].txt", "w2.txt", True),
        ("w[!2].txt", "w2.txt", True),
        ("w[!2].txt", "w!.txt", True),
        ("w[!2].txt", "w3.txt", False),
        ("w[^2].txt", "w3.txt", True),
        ("w[^2].txt", "w2.txt", False),
        ("w[a-c].txt", "wb.txt", True),
        ("w[a&&b].txt", "w&.txt", True),
        (r"w[\]x].txt", "w].txt", True),
        (r"w[x\-z].txt", "wy.txt", False),
        (r"w[\d].txt", "wd.txt", True),
        (r"w\[1\].txt", "w[1].txt", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        ("  temp  ", "temp", True),
        ("! temp\ntemp\n!  temp", "temp", False),
        ("temp\r\n!temp\r\n", "temp", False),
        ("\ufefftemp", "temp", True),
        ("#temp", "#temp", False),
        ("\\#temp", "#temp", True),
        (" #temp", "#temp", True),
        ("!!temp\n*\n!!temp", "!temp", False),
        (".", "temp", False),
        ("/", "temp", False),
        ("/", "docs/notes.md", False),
        ("", "temp", False),
    ],
)
def test_patterns_mean_what_they_mean_to_docker(patterns: str, path: str, is_ignored: bool) -> None:
    assert parsed(patterns).leaves_out(path) is is_ignored


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n\ndist\\\n", 'line 3: "dist\\" ends in a backslash; write dist'),
        (
            "# x\n!\n",
            'line 2: "!" has nothing after the "!"; write what is to count all the same',
        ),
        ("w[1", r'line 1: "w[1" has a "[" that begins no set of letters; write \[ for itself'),
        ("w[]", r'line 1: "w[]" has a "[" that begins no set of letters; write \[ for itself'),
        ("[a-]", r'line 1: "[a-]" has a "[" that begins no set of letters; write \[ for itself'),
        (
            "\x1b[",
            r'line 1: "\x1b[" has a "[" that begins no set of letters; write \[ for itself',
        ),
        ("![z-a]", 'line 1: "![z-a]" has a set of letters that ends before it begins'),
    ],
)
def test_a_line_that_docker_refuses_is_told(text: str, told: str) -> None:
    with pytest.raises(IgnoreError) as caught:
        parsed(text)
    assert str(caught.value) == told


def test_a_long_name_is_matched_at_once() -> None:
    ignored = parsed("**/a*/**/b*/**/*.swp\n!kept")
    assert not ignored.leaves_out("/".join(["a" * 20, "b" * 20] * 10))
