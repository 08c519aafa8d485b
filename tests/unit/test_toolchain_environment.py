"""The environment in which pulumi runs: ours by default, the user's where given."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.environment import difference, path_without_ours, pulumi_environment
from toolchain.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(root=tmp_path)


def test_everything_that_pulumi_keeps_is_inside_the_checkout(layout: Layout) -> None:
    environment = pulumi_environment(layout, {})
    assert environment["PULUMI_HOME"] == str(layout.root / ".cloudlet" / "pulumi")
    assert environment["PULUMI_BACKEND_URL"] == f"file://{layout.root}/.cloudlet/state"
    passphrase = Path(environment["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert passphrase == layout.root / "lab" / "passphrase"


@pytest.mark.parametrize(
    "name", ["PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_SKIP_UPDATE_CHECK", "PULUMI_OTHER"]
)
def test_what_the_user_set_wins(layout: Layout, name: str) -> None:
    assert pulumi_environment(layout, {name: "mine"})[name] == "mine"


@pytest.mark.parametrize("value", ["mine", ""])
def test_a_passphrase_of_the_user_keeps_our_file_out(layout: Layout, value: str) -> None:
    environment = pulumi_environment(layout, {"PULUMI_CONFIG_PASSPHRASE": value})
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment
    assert environment["PULUMI_CONFIG_PASSPHRASE"] == value


def test_a_passphrase_file_of_the_user_wins(layout: Layout) -> None:
    given = {"PULUMI_CONFIG_PASSPHRASE_FILE": "/mine"}
    assert pulumi_environment(layout, given)["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/mine"


def test_our_programs_come_first_on_the_path_only_if_there_are_any(layout: Layout) -> None:
    assert pulumi_environment(layout, {"PATH": "/a:/b"})["PATH"] == "/a:/b"
    layout.bin.mkdir(parents=True)
    assert pulumi_environment(layout, {"PATH": "/a:/b"})["PATH"] == "/a:/b"
    (layout.bin / "pulumi").touch()
    first = pulumi_environment(layout, {"PATH": "/a:/b"})
    assert first["PATH"] == f"{layout.bin}:/a:/b"
    assert pulumi_environment(layout, first)["PATH"] == first["PATH"]


def test_the_users_own_path_is_known_after_ours_has_been_put_before_it(layout: Layout) -> None:
    assert path_without_ours(layout, {"PATH": f"{layout.bin}:/a:/b"}) == "/a:/b"


def test_only_what_differs_is_printed_for_a_shell(layout: Layout) -> None:
    whole = pulumi_environment(layout, {"PATH": "/a", "HOME": "/h"})
    assert difference(layout, {**whole, "STACK": "dev"}) == {}
    assert "HOME" not in difference(layout, {"PATH": "/a", "HOME": "/h"})


def test_a_shell_is_told_which_lab_it_is_about_and_gets_no_passphrase_but_the_simulated_ones(
    layout: Layout,
) -> None:
    passphrase = "PULUMI_CONFIG_PASSPHRASE_FILE"
    dev = difference(layout, {"PATH": "/a"})
    assert (dev["STACK"], passphrase in dev) == ("dev", True)
    school = difference(layout, {"PATH": "/a"}, stack="school")
    assert (school["STACK"], passphrase in school) == ("school", False)
