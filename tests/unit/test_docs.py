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
TARGETS = set(re.findall(r"^([a-z][a-z-]*):.*(?:##|#@)", MAKEFILE, re.MULTILINE))
# For whoever works on cloudlet itself, not for whoever has a lab.
INNER = {"ready", "lab", "env", "lint", "test-unit", "test-lab", "test-long", "clean"}


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
    assert names(page) <= TARGETS | {"help"}


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


# What the pages name in passing, and where it is run.
ELSEWHERE = {
    "bench": "it takes hours: docs/performance.md shows what it wrote",
    "drill": "tests/lab/test_9_load.py",
    "help": "below",
    "test": ".ci/run",
}


def test_every_target_that_a_page_names_is_run_by_a_test(page: Path) -> None:
    run = "\n".join(run_by_a_test())
    made = {
        word
        for words in re.findall(r"^make (?:-s )?([a-z-]+(?: [a-z-]+)*)(?= |$)", run, re.MULTILINE)
        for word in words.split()
    }
    assert names(page) - {"env"} <= made | set(ELSEWHERE)


def test_help_names_every_target_on_one_screen() -> None:
    lines = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    told = {line.split()[0] for line in lines if line.startswith("  ")}
    itself = set(lines[-1].removeprefix("cloudlet itself: ").split())
    assert told | itself == TARGETS
    assert not told & itself
    assert itself <= INNER | {"bench", "test"}
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def run_by_a_test() -> set[str]:
    """The text of every block that a lab test runs."""
    both = [*recipes.parameters(quick=True), *recipes.parameters(quick=False)]
    steps = [step for each in both for step in each.values[1]]
    opening = "".join(f"{step.text}\n" for step in recipes.opening())
    return {step.text for step in [*steps, *recipes.first_contact()]} | {opening}


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Of each block on the page: the line before it, the word for its kind, its text."""
    # One block may follow the other with nothing between them.
    pattern = r"(?:^([^\n`]*)\n)?^```(\w*)\n(.*?)^```$\n"
    return re.findall(pattern, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_block_of_commands_is_run_by_a_test_or_says_why_not(page: Path) -> None:
    run = run_by_a_test()
    for before, kind, text in blocks(page):
        assert kind in ("sh", "diff", "text"), f"a block of {kind or 'no kind'}:\n{text}"
        if kind == "text":  # what a command prints
            assert not re.search(r"^\$? *(make|pulumi|docker|nmcli|sudo) ", text, re.MULTILINE), (
                text
            )
        elif before.startswith("<!-- not run: "):
            assert len(before) > 30, f"why is it not run?\n{text}"
        else:
            assert text in run, f"nobody runs\n{text}"


def test_the_pages_have_blocks_of_each_kind() -> None:
    kinds = {kind for page in PAGES for _, kind, _ in blocks(page)}
    assert kinds == {"sh", "diff", "text"}
    assert any(
        step.quick for steps in recipes.recipes(recipes.PAGE.read_text()).values() for step in steps
    )


def test_what_the_readme_has_of_real_phones_is_what_their_page_has_step_by_step() -> None:
    (block,) = (text for _, _, text in blocks(recipes.README) if "new-lab" in text)
    commands = [line.partition(" #")[0].rstrip() for line in block.splitlines()]
    assert commands == "".join(step.text for step in recipes.first_contact()).splitlines()


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
