"""docs/operations.md and the README's commands are true: they are run, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagekit
import pytest
import recipes
import yaml
from labkit import NAME, PHONES, ROOT, Lab, own_configuration, wait_for


@pytest.fixture(scope="module")
def runner(lab: Lab) -> Iterator[recipes.Runner]:
    """A stack of the lab's own name, as the page is about a lab that a person has named."""
    imagekit.ensure_builder()
    file = ROOT / f"Pulumi.{NAME}.yaml"
    # What the pages write; a backup is never written over another.
    written = [
        *(ROOT / ".cloudlet" / name for name in ("lab.html", "lab.age")),
        ROOT / "stacks" / f"{NAME}.lock.yml",
        *(ROOT / "stacks").glob(f"{NAME}-*.yml"),
    ]
    for one in written:
        one.unlink(missing_ok=True)
    lab.configure()
    file.write_text(lab.config.read_text())
    made = recipes.Runner(lab=lab, stack=NAME, file=file)
    up, down = recipes.opening()
    try:
        made.run(up)
        yield made
        lab.lab_up()
        made.run(down)
    finally:
        written += (ROOT / "stacks").glob(f"{NAME}-*.yml")
        for one in (file, *written, *(ROOT / "backups").glob(f"{NAME}-*")):
            one.unlink(missing_ok=True)


def members(runner: recipes.Runner) -> set[str]:
    """The swarm's nodes that are ready, by the first phone that tells."""
    told = ""
    for phone in PHONES:
        try:
            told = runner.lab.on(phone, "docker node ls --format '{{.Hostname}} {{.Status}}'")
        except AssertionError:
            continue
        break
    return {line.split()[0] for line in told.splitlines() if line.endswith(" Ready")}


@pytest.mark.slow
@pytest.mark.parametrize(("title", "steps"), recipes.parameters(quick=False))
def test_a_recipe_works(runner: recipes.Runner, title: str, steps: list[Any]) -> None:
    for step in steps:
        runner.run(step)
    if title == "Take the lab away":
        assert not members(runner)
        return
    if title == "Choose where a service runs":
        there = runner.lab.on(
            "phone-1",
            "docker service ps -f desired-state=running --format '{{.Node}}' go_coffee_kitchen",
        )
        assert set(there.split()) == {"phone-4"}
    wanted = set(yaml.safe_load(runner.file.read_text())["config"]["cloudlet:phones"])
    assert wait_for(lambda: members(runner) == wanted, 90), title


@pytest.mark.slow
def test_the_way_from_blank_phones_to_a_lab_is_as_it_is_written(runner: recipes.Runner) -> None:
    """One phone has its first contact over its cable, the others in `make up`."""
    for phone in PHONES:
        runner.lab.lab("replace", phone).ok()
    stack = f"{NAME}-school"
    answers = {
        "PHONES": str(len(PHONES)),
        "CLOUDLET_PHONE_PASSWORD": "1234",
        "CLOUDLET_WIFI_PASSWORD": "my-secure-password",
        "PULUMI_CONFIG_PASSPHRASE": "…",
    }
    file = ROOT / f"Pulumi.{stack}.yaml"
    school = recipes.Runner(lab=runner.lab, stack=stack, file=file, environment=answers)
    new_lab, cable, up = recipes.first_contact()
    try:
        school.run(new_lab)
        simulated(file)
        school.run(cable)
        school.run(up)
        assert wait_for(lambda: members(school) == set(PHONES), 90)
        school.run(recipes.opening()[1])
    finally:
        file.unlink(missing_ok=True)


def simulated(file: Path) -> None:
    """The new lab's phones are made the simulated ones, which have no wifi of 192.168.8."""
    written = yaml.safe_load(file.read_text())
    for key, value in own_configuration(len(PHONES)).items():
        if key != "cloudlet:phones":
            written["config"][key] = value
            continue
        for phone, place in value.items():
            written["config"][key][phone] |= {name: place[name] for name in ("address", "ssh")}
    written["config"]["cloudlet:routing"] = "host"
    file.write_text(yaml.safe_dump(written, sort_keys=False))
