"""Faults of the field: what the person is told, and that nothing else is harmed."""

from __future__ import annotations

from labkit import LOOPBACK, Lab
from phonekit import snapshot


def test_a_wrong_password_is_named_as_that(lab: Lab) -> None:
    lab.lab("replace", "phone-4").ok()
    lab.configure(password={"secure": lab.value("wifiPassword")["secure"]})
    done = lab.up()
    lab.configure()
    assert done.status != 0
    assert f"phone-4: cloudlet@{LOOPBACK} accepts neither the key" in done.output
    assert "my-secure-password" not in done.output
    assert "Traceback" not in done.output
    lab.destroy().ok()


def test_a_phone_that_is_off_is_named_before_another_is_touched(lab: Lab) -> None:
    before = snapshot(lab, "phone-1")
    lab.lab("stop", "phone-4").ok()
    done = lab.up()
    lab.lab("start", "phone-4").ok()
    assert done.status != 0
    assert f"phone-4 does not answer at {LOOPBACK}:2204" in done.output
    assert snapshot(lab, "phone-1") == before
    lab.destroy().ok()
