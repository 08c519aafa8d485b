"""A refresh that nobody watches: what is as it was has no line in what is kept of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# As Pulumi prints where there is no terminal, spaces at a row's end included.
SAME = """\
 ~  pulumi:pulumi:Stack cloudlet-dev refreshing (0s) |
    pulumi:pulumi:Stack cloudlet-dev running |
 ~  pulumi-python:dynamic/cloudlet:Contact phone-1-contact refreshing (0s) |
    pulumi-python:dynamic/cloudlet:Contact phone-1-contact  |
    pulumi:providers:docker entry  |
    command:remote:Command phone-1-wifi  |
""".replace("|", "")
TOLD = """\
Refreshing (dev):

    pulumi:pulumi:Stack cloudlet-dev running phone-2: docker is stopped, should be running
 ~  pulumi-python:dynamic/cloudlet:Condition phone-2-condition updated (0.35s) |
 ~  docker:index:Service page-web refreshing (1s) error: no manager answers
 -  docker:index:Network page-default deleted (0s) |
    pulumi:pulumi:Stack cloudlet-dev  3 messages
Diagnostics:
  pulumi:pulumi:Stack (cloudlet-dev):
    phone-2: docker is stopped, should be running
Resources:
    ~ 1 updated
    55 unchanged

Duration: 2s
""".replace("|", "")


def run(program: str) -> subprocess.CompletedProcess[str]:
    """A program that prints without what is as it was, and then becomes ``sh -c program``."""
    start = (
        "import os, sys\n"
        "from toolchain import differences\n"
        "differences.alone()\n"
        "print('Begun', flush=True)\n"
        "os.execvp('sh', ['sh', '-c', sys.argv[1]])"
    )
    return subprocess.run(
        [sys.executable, "-c", start, program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env=os.environ | {"SAME": SAME, "TOLD": TOLD},
    )


def test_only_what_differs_is_printed_and_all_else_that_pulumi_says() -> None:
    done = run('printf \'%s%s%s\' "$SAME" "$TOLD" "$SAME"; echo apart >&2')
    assert done.stdout == "Begun\n" + TOLD
    assert done.stderr == "apart\n"
    assert done.returncode == 0


@pytest.mark.parametrize(("program", "status"), [("exit 3", 3), ("kill -9 $$", 128 + 9)])
def test_the_status_is_the_programs_own(program: str, status: int) -> None:
    assert run(program).returncode == status


def test_a_line_without_an_end_is_printed_too() -> None:
    assert run("printf 'what is left'").stdout == "Begun\nwhat is left"


def test_ctrl_c_is_the_programs_alone_and_its_last_words_are_printed() -> None:
    """A terminal sends it to both."""
    done = run("trap 'echo Ends in order; exit 7' INT; kill -INT $PPID; kill -INT $$; sleep 5")
    assert done.stdout == "Begun\nEnds in order\n"
    assert done.returncode == 7


def test_who_ends_the_one_ends_the_other() -> None:
    done = run(
        "trap 'echo Ends in order; exit 8' TERM; kill -TERM $PPID; "
        "sleep 5 >/dev/null 2>&1 & wait $!"
    )
    assert done.stdout == "Begun\nEnds in order\n"
    assert done.returncode == 8
