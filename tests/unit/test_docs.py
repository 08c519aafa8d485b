"""What people read names only what is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.lab import recipes

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):.*##", MAKEFILE, re.MULTILINE))
# For whoever works on cloudlet itself, not for whoever has a lab.
INNER = {"help", "ready", "lab", "env", "lint", "test-unit", "test-lab", "test-long", "clean"}


def names(page: Path) -> set[str]:
    """The targets that a page tells people to make."""
    text = page.read_text(encoding="utf-8")
    told = re.findall(r"(?:^|[`(\"|]) *make (?:-s )?([a-z-]+(?: [a-z-]+)*)", text, re.MULTILINE)
    return {word for words in told for word in words.split()}


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.fixture(params=PAGES, ids=lambda page: page.stem)
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_target_that_a_page_names_is_there(page: Path) -> None:
    assert names(page) <= TARGETS


def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_what_a_person_does_with_a_lab_is_in_the_readme_or_the_recipes() -> None:
    told = names(ROOT / "README.md") | names(ROOT / "docs" / "operations.md")
    assert told | INNER >= TARGETS
    assert TARGETS >= INNER


def test_help_names_every_target_on_one_screen() -> None:
    lines = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {line.split()[0] for line in lines if line.startswith("  ")} == TARGETS
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100


def test_every_block_of_the_recipes_is_run_by_somebody() -> None:
    text = recipes.PAGE.read_text(encoding="utf-8")
    found = recipes.recipes(text)
    blocks = len(re.findall(r"^```(?:sh|diff)$", text, re.MULTILINE))
    assert blocks == sum(step.kind != "hands" for steps in found.values() for step in steps)
    titles = set(re.findall(r"^## (.*)$", text, re.MULTILINE))
    assert titles - set(found) == {
        "Put it under load",
        "Review a change before it is made",
        "How this page is tested",
    }
    assert any(step.quick for steps in found.values() for step in steps)


def test_a_change_of_the_file_touches_only_what_it_names() -> None:
    config = yaml.safe_load(
        """
        cloudlet:phones: {a: {role: manager, address: 1}, b: {role: worker, drain: yes}, c: {}}
        cloudlet:wifi: {ssid: old}
        """
    )
    text = """\
 cloudlet:phones:
-  a: {role: manager}
-  b: {drain: yes}
-  c: {}
+  a: {role: worker}
+  b: {}
+cloudlet:epoch: 1
"""
    step = recipes.Step(kind="diff", text=text, quick=False)
    assert recipes.changed(config, step) == {
        "cloudlet:phones": {"a": {"role": "worker", "address": 1}, "b": {"role": "worker"}},
        "cloudlet:wifi": {"ssid": "old"},
        "cloudlet:epoch": 1,
    }
