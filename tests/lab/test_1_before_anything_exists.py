"""What a person gets before there is a phone: a plan, or one line that says what is wrong."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from labkit import NAME, ROOT, Lab


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


def test_a_new_lab_is_written_and_can_be_previewed(empty: Lab) -> None:
    lab = f"{NAME}-new"
    file = ROOT / f"Pulumi.{lab}.yaml"
    passwords = {
        "CLOUDLET_PHONE_PASSWORD": "drawer-1234",
        "CLOUDLET_WIFI_PASSWORD": "attic-wifi-5678",
        "PHONES": "3",
    }
    try:
        for command in (["make", "new-lab", f"NAME={lab}"], ["make", "preview", f"STACK={lab}"]):
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=empty.environment | passwords,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        assert "cloudlet:index:Phone phone-3 create" in done.stdout
        text = file.read_text()
        assert text.count("secure: v1:") == 6
        assert "drawer-1234" not in text
        assert "attic-wifi-5678" not in text
    finally:
        file.unlink(missing_ok=True)


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
