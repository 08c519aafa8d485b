"""docs/operations.md and the README's commands are true: they are run, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import imagekit
import pytest
import recipes
import yaml
from labkit import NAME, PHONES, ROOT, Lab, wait_for


@pytest.fixture(scope="module")
def runner(lab: Lab) -> Iterator[recipes.Runner]:
    """A stack of the lab's own name, as the page is about a lab that a person has named."""
    imagekit.ensure_builder()
    file = ROOT / f"Pulumi.{NAME}.yaml"
    # What the pages write; a backup is never written over another.
    written = [ROOT / ".cloudlet" / name for name in ("lab.html", "lab.age")]
    for one in written:
        one.unlink(missing_ok=True)
    lab.configure(lock=str(lab.folder / "lab.lock.yml"))
    file.write_text(lab.config.read_text())
    made = recipes.Runner(lab=lab, stack=NAME, file=file)
    try:
        made.run(recipes.Step(kind="sh", text="make up", quick=False))
        yield made
        lab.lab_up()
        made.run(recipes.Step(kind="sh", text="make down", quick=False))
    finally:
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
    wanted = set(yaml.safe_load(runner.file.read_text())["config"]["cloudlet:phones"])
    assert wait_for(lambda: members(runner) == wanted, 90), title
