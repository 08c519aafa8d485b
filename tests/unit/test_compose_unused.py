"""A variable that no compose file names."""

from __future__ import annotations

import pytest

from components.compose import unused_variables

FILE = "services: {web: {image: web, environment: [TOKEN], deploy: {replicas: ${REPLICAS:-2}}}}"


@pytest.mark.parametrize("name", ["REPLICAS", "TOKEN"])
def test_what_the_file_names_is_used(name: str) -> None:
    assert unused_variables("shop", [FILE], [name]) == []


def test_what_it_does_not_is_told_with_what_may_be_meant() -> None:
    assert unused_variables("shop", ["services:", FILE], ["REPLICA", "COLOUR"]) == [
        "stacks.shop.variables.REPLICA: the compose file has none; did you mean REPLICAS?",
        "stacks.shop.variables.COLOUR: the compose file has none; remove it",
    ]


def test_what_an_env_file_may_name_is_not_doubted() -> None:
    assert unused_variables("shop", [FILE, "env_file: web.env"], ["COLOUR"]) == []
