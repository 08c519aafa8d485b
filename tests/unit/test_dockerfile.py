"""What a plan can tell of a Dockerfile that no builder would take; not being sure, nothing."""

from __future__ import annotations

import pytest

from components.images.dockerfile import mistake

TWO = "FROM busybox AS Tools\nRUN make\nfrom busybox as page\nCOPY --from=Tools /x /x\n"


@pytest.mark.parametrize("text", ["", "\n \n", "# a page\n\n#\n", "\ufeff# a page\r\n"])
def test_one_without_an_instruction_is_empty(text: str) -> None:
    assert mistake(text, "") == "is empty; it begins with FROM and an image"


def test_one_without_a_base_is_told() -> None:
    assert mistake("ARG X=1\nRUN make\n", "") == "has no FROM; it begins with FROM and an image"


def test_a_target_that_is_no_stage_is_told_with_those_that_are() -> None:
    assert mistake(TWO, "pgae") == 'has no stage "pgae" for target; write tools or page'


def test_where_no_stage_has_a_name_it_is_told_how_to_give_one() -> None:
    told = 'has no stage "page" for target; write FROM … AS page, or remove target'
    assert mistake("FROM busybox\n", "page") == told


@pytest.mark.parametrize("target", ["", "page", "PAGE", "tools", "0", "1"])
def test_a_stage_is_named_in_any_case_or_by_its_number(target: str) -> None:
    assert mistake(TWO, target) == ""


def test_a_number_beyond_the_last_stage_is_told() -> None:
    assert mistake(TWO, "2") == 'has no stage "2" for target; write tools or page'


@pytest.mark.parametrize(
    "text",
    [
        "FROM --platform=$BUILDPLATFORM busybox AS page\n",
        "FROM busybox \\\n  AS \\\n  page\n",
        "FROM busybox \\\n# in between\n\n AS page # not a comment",
        "# escape=`\nFROM busybox `\n AS page\n",
        "ARG V=1\r\nFROM busybox:$V AS page\r\n",
        "\tFROM busybox AS page",
        "FROM busybox\nRUN <<END\ncat \\\nEND\nFROM busybox AS page\n",
        # It may be a program's text: who knows.
        "FROM busybox\nRUN <<END\nFROM x AS page\nEND\n",
        # Another language altogether.
        "# syntax=example.org/other\nstage page\n",
        "// syntax=example.org/other\nstage page\n",
        "# syntax = docker/dockerfile:1\n# check=skip=all\nFROM busybox AS page\n",
    ],
)
def test_where_it_is_not_sure_nothing_is_told(text: str) -> None:
    assert mistake(text, "page") == ""


def test_a_comment_names_no_stage() -> None:
    assert mistake("# FROM busybox AS page\nFROM busybox AS web\n", "page") == (
        'has no stage "page" for target; write web'
    )
