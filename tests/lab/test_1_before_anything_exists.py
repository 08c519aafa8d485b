"""What a person gets before there is a phone: a plan, or one line that says what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from labkit import Lab


def test_a_preview_shows_phones_swarm_and_stacks_without_reaching_any(empty: Lab) -> None:
    done = empty.pulumi("preview").ok()
    for line in (
        "cloudlet:index:Phone phone-1 create",
        "cloudlet:index:Swarm swarm create",
        "cloudlet:index:Stack go_coffee create",
        "cloudlet:index:Stack portainer create",
        "docker:index:Service go_coffee-web create",
    ):
        assert line in done.output
    assert "errored" not in done.output


def test_an_up_without_the_key_names_the_key(empty: Lab) -> None:
    done = empty.up()
    assert done.status != 0
    assert "ssh.privateKeyFile" in done.output
    assert "ssh-keygen" in done.output


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"phonez": {}}, "phonez: unknown key"),
    ({"routing": "both"}, "routing: "),
    ({"stacks": {"shop": {"file": "stacks/shop.yml"}}}, "stacks.shop.file: "),
    ({"secrets": None}, "POSTGRES_PASSWORD"),
    ({"secrets": {"PORTAINER_ADMIN_PASSWORD": "short"}}, "secrets"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES, ids=lambda value: json.dumps(value)[:40])
def test_a_mistake_is_one_line_without_a_traceback(
    empty: Lab, changes: dict[str, Any], message: str
) -> None:
    before = empty.config.read_text()
    try:
        kept = {key: empty.value(key) for key in ("phones", "ssh")}
        empty.configure(**{**kept, **changes})
        done = empty.pulumi("preview")
    finally:
        empty.config.write_text(before)
    assert done.status != 0
    assert message in done.output
    assert "Traceback" not in done.output
