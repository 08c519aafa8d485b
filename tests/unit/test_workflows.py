"""The workflows on GitHub: what nobody can try here is at least read with care."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchain import versions

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# Whether the run may know a secret or write: never on a pull request from a fork.
OURS = (
    "github.event.pull_request.head.repo.full_name == github.repository "
    "&& github.actor != 'dependabot[bot]'"
)


def load(file: Path) -> dict[Any, Any]:
    return yaml.safe_load(file.read_text())


def steps(file: Path) -> Iterator[dict[str, Any]]:
    for job in load(file)["jobs"].values():
        yield from job["steps"]


def named(name: str) -> dict[Any, Any]:
    return load(ROOT / ".github" / "workflows" / f"{name}.yml")


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def workflow(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_tests_run_on_every_push_and_previews_on_pull_requests() -> None:
    # YAML reads the key `on` as true.
    assert "push" in named("tests")[True]
    assert list(named("preview")[True]) == ["pull_request"]


def test_every_action_is_pinned_by_its_commit(workflow: Path) -> None:
    used = re.findall(r"uses: *(.*)", workflow.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_a_job_has_no_more_rights_than_it_names(workflow: Path) -> None:
    text = load(workflow)
    assert text["permissions"] == {}
    for job in text["jobs"].values():
        assert set(job["permissions"].items()) <= {("contents", "read"), ("pull-requests", "write")}
        assert job["timeout-minutes"] <= 60


def test_no_code_of_a_fork_meets_a_secret(workflow: Path) -> None:
    text = workflow.read_text()
    assert not {"pull_request_target", "workflow_run"} & set(load(workflow)[True])
    for line in text.splitlines():
        if "secrets." in line:
            assert "matrix.lab != 'dev' && secrets." in line
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        given = step.get("with", {})
        if given.get("comment-on-pr") is not None:
            assert given["comment-on-pr"] == f"${{{{ {OURS} }}}}"


def test_what_others_write_is_never_part_of_a_script(workflow: Path) -> None:
    for step in steps(workflow):
        assert "${{" not in step.get("run", "")


def test_the_scripts_pass_shellcheck(workflow: Path) -> None:
    shellcheck = shutil.which("shellcheck", path=f"{ROOT}/.venv/bin:{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("no shellcheck for this machine")
    for step in steps(workflow):
        if "run" in step:
            checked = subprocess.run(
                [shellcheck, "--shell=bash", "-"],
                input=step["run"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert checked.returncode == 0, checked.stdout


def test_pulumi_is_the_version_that_the_checkout_wants() -> None:
    used = [
        step["with"]["pulumi-version"]
        for step in steps(ROOT / ".github/workflows/preview.yml")
        if step.get("uses", "").startswith("pulumi/actions@")
    ]
    assert used
    assert set(used) == {versions.WANTED}


def find(folder: Path, *, trusted: bool) -> list[str]:
    """What the job `labs` hands on, its script run in ``folder``."""
    (script,) = (step for step in named("preview")["jobs"]["labs"]["steps"] if "run" in step)
    assert script["env"] == {"TRUSTED": f"${{{{ {OURS} }}}}"}
    output = folder / "output"
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script["run"]],
        cwd=folder,
        env=os.environ | {"TRUSTED": str(trusted).lower(), "GITHUB_OUTPUT": str(output)},
        check=True,
    )
    name, _, value = output.read_text().strip().partition("=")
    assert name == "names"
    return json.loads(value)


@pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's machines have jq")
def test_each_lab_with_secrets_is_previewed_and_only_dev_for_a_fork(tmp_path: Path) -> None:
    for lab, secrets in (("dev", True), ("school-3", True), ("lab", False)):
        text = "config: {}\n" + ("encryptionsalt: v1:x\n" if secrets else "")
        (tmp_path / f"Pulumi.{lab}.yaml").write_text(text)
    (tmp_path / "Pulumi.yaml").write_text("name: cloudlet\n")
    assert find(tmp_path, trusted=True) == ["dev", "school-3"]
    (tmp_path / "output").unlink()
    assert find(tmp_path, trusted=False) == ["dev"]
