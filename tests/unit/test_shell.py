"""Texts for a phone: quoted, short on the command line, secrets only on standard input."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

import components
from components.remote import shell

SCRIPTS = Path(components.__file__).parent / "scripts"
AWKWARD = ["plain", "two words", "it's", "$(reboot)", "; rm -rf /", 'a"b', "-n", "", "back\\slash"]


@pytest.mark.parametrize("value", AWKWARD)
def test_an_argument_reaches_the_script_as_it_is(value: str) -> None:
    line = shell.command(value)
    done = subprocess.run(  # the script prints its first argument
        ["sh", "-c", line], input='printf %s "$1"', capture_output=True, text=True, check=True
    )
    assert done.stdout == value


@pytest.mark.parametrize("value", AWKWARD)
def test_a_secret_reaches_the_script_as_it_is(value: str) -> None:
    text = shell.script("lib.sh", {"SECRET": value}) + 'printf %s "$SECRET"'
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=True)
    assert done.stdout == value


def test_a_secret_stands_in_no_command_line() -> None:
    assert shlex.split(shell.command("cloudlet", root=True))[-3:] == ["-s", "--", "cloudlet"]


def test_comments_stay_at_home_but_for_those_of_a_file_that_a_script_writes() -> None:
    text = """# What it is for.
main() {
	# Why.
	cat <<-END
		#!/sbin/openrc-run
		# For whoever finds it on the phone.
	END
	echo "$#" # beside a command
	bits=$((1 << 4))
	# Gone as well.
}
"""
    assert shell.without_comments(text) == (
        "main() {\n\tcat <<-END\n\t\t#!/sbin/openrc-run\n"
        "\t\t# For whoever finds it on the phone.\n\tEND\n"
        '\techo "$#" # beside a command\n\tbits=$((1 << 4))\n}\n'
    )


def test_what_a_script_writes_into_a_file_keeps_its_comments() -> None:
    assert "#!/sbin/openrc-run" in shell.text("engine.sh")


def test_facts_are_read_from_lines_and_noise_is_left_out() -> None:
    text = "a=1\nnoise\nmodel = LGE Nexus 5 \nos=a=b\n"
    assert shell.parse_facts(text) == {"a": "1", "model": "LGE Nexus 5", "os": "a=b"}


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_nothing_runs_before_the_whole_script_is_read(path: Path) -> None:
    """A script arrives on standard input: a command in it could otherwise eat the rest."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    if path.name != "lib.sh":
        assert lines[-1] == 'main "$@"'
