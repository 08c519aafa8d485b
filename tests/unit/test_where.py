"""What `make up` ends with: pages, passwords, phones."""

from __future__ import annotations

from toolchain.where import summary

FACTS = {
    "model": "LGE Nexus 5",
    "architecture": "armv7l",
    "dockerVersion": "29.5.3",
    "memoryMB": 1893,
}
PHONES = {
    "phone-1": {"address": "192.168.8.11", "facts": {**FACTS, "batteryPercent": 87}},
    "phone-10": {"address": "192.168.8.20", "facts": FACTS},
}


def test_pages_and_phones_are_listed_in_columns() -> None:
    lines = summary(
        {"pages": {"The shop": "http://h:8888", "P": "http://h:9000"}, "phones": PHONES}, "lab"
    )
    assert "  The shop  http://h:8888" in lines
    assert "  P         http://h:9000" in lines
    assert "phone-1   192.168.8.11  LGE Nexus 5  armv7l        29.5.3  1893 MB  87 %" in lines
    assert "phone-10  192.168.8.20  LGE Nexus 5  armv7l        29.5.3  1893 MB  -" in lines


def test_the_password_of_a_page_that_is_there_is_asked_of_the_stack_that_ran() -> None:
    lines = summary({"pages": {"Portainer": "x", "The shop": "y"}, "phones": {}}, "lab")
    assert any("--stack lab --path secrets.PORTAINER_ADMIN_PASSWORD" in line for line in lines)
    assert not any("RABBITMQ_PASSWORD" in line for line in lines)


def test_pages_without_a_password_of_ours_name_none() -> None:
    lines = summary({"pages": {"Hello": "http://h:8000"}, "phones": {}}, "lab")
    assert lines == ["", "Where to look", "  Hello  http://h:8000"]


def test_a_lab_without_stacks_has_no_pages_to_look_at() -> None:
    assert "Where to look" not in summary({"pages": {}, "phones": PHONES}, "lab")
