"""Whatever a compose file holds, it becomes a stack or an error that a person can read.

`make test-long` looks for longer, by CLOUDLET_FUZZ.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.compose import (
    ComposeError,
    ComposeFile,
    StackSpec,
    keys,
    load_files,
    required_variables,
)
from tests.unit.compose_goldens import as_json
from tests.unit.compose_strategies import (
    HALF,
    NUMBERS,
    SERVICE_PARTS,
    WORDS,
    contents,
    documents,
    holding,
    places,
    texts,
    variables,
)

SECRET = "hunter2-and-more"

fuzzed = settings(
    max_examples=int(os.environ.get("CLOUDLET_FUZZ", "20")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def tried(
    files: list[str], values: Mapping[str, str], content: bytes | str | Exception = b"A=1"
) -> StackSpec | list[str]:
    """The stack, or the problems; anything else that is raised fails the test."""

    def read(name: str) -> bytes | str:
        assert isinstance(name, str)
        if isinstance(content, Exception):
            raise content
        return content

    try:
        return load_files(
            [ComposeFile(source=f"{number}.yml", text=text) for number, text in enumerate(files)],
            stack="shop",
            variables=values,
            read=read,
        )
    except ComposeError as error:
        problems, cause = list(error.problems), error.__cause__
    assert problems
    assert cause is None
    for line in problems:
        assert line.isprintable()
        assert line[:6] in ("0.yml:", "1.yml:", "2.yml:")
        assert "Exceeds the limit" not in line, "a word of Python's own"
    return problems


@fuzzed
@given(files=st.lists(texts, min_size=1, max_size=3), values=variables, content=contents)
def test_no_file_raises_anything_but_its_own_error(
    files: list[str], values: dict[str, str], content: bytes | str | Exception
) -> None:
    result = tried(files, values, content)
    if isinstance(result, StackSpec) and not isinstance(content, bytes):
        as_json(result).encode()


@fuzzed
@given(text=texts)
def test_the_variables_of_any_file_can_be_asked_for(text: str) -> None:
    with contextlib.suppress(ComposeError):
        assert all(required_variables(text, source="a.yml"))


@fuzzed
@given(files=st.lists(documents, min_size=1, max_size=2))
def test_no_problem_or_warning_ever_shows_what_a_variable_holds(files: list[str]) -> None:
    values = dict.fromkeys("ABC", SECRET)
    result = tried(files, values)
    lines = result.warnings if isinstance(result, StackSpec) else result
    assert not [line for line in lines if SECRET in line]


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(keys.SERVICE_KEYS | {"build"}))
def test_no_word_fails_in_any_place_below_a_key(key: str) -> None:
    for path in places(SERVICE_PARTS[key]):
        services = {
            f"s{number}": {"image": "shop", key: holding(path, word)}
            for number, word in enumerate([*WORDS, *NUMBERS])
            if word != HALF  # a file with such a thing is not even looked at
        }
        told = tried([json.dumps({"services": services})], {"A": "x"})
        assert not isinstance(told, StackSpec)
        assert all(": services." in line for line in told), "each service was looked at"


@pytest.mark.parametrize("depth", [21, 100, 5000])
def test_variables_within_each_other_end_in_an_error(depth: int) -> None:
    text = "services: {web: {image: '" + "${A:-" * depth + "}" * depth + "'}}"
    assert "more than 20 variables" in str(tried([text], {}))


@pytest.mark.parametrize("depth", [101, 300, pytest.param(5000, marks=pytest.mark.slow)])
def test_lists_within_each_other_end_in_an_error(depth: int) -> None:
    text = "services: {web: {ports: " + "[" * depth + "]" * depth + "}}"
    assert "nested" in str(tried([text], {}))
