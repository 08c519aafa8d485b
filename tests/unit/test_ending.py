"""How a command ends: what was to be expected is a sentence, and Ctrl-C is no failure of ours."""

from __future__ import annotations

import pytest

from toolchain.ending import exit_code


class ExpectedError(Exception):
    pass


def ends(*, with_: BaseException | int | None) -> int:
    def act() -> int | None:
        if isinstance(with_, BaseException):
            raise with_
        return with_

    return exit_code(act, ExpectedError, stopped="stopped", prefix="lab: ")


def test_a_command_has_the_code_that_it_gives_or_success(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (ends(with_=None), ends(with_=0), ends(with_=7)) == (0, 0, 7)
    assert capsys.readouterr() == ("", "")


def test_each_line_of_an_expected_error_says_whose_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ends(with_=ExpectedError("one\ntwo")) == 1
    assert capsys.readouterr() == ("", "lab: one\nlab: two\n")


def test_ctrl_c_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(with_=KeyboardInterrupt()) == 130
    assert capsys.readouterr() == ("", "lab: stopped\n")


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        ends(with_=ZeroDivisionError())
