"""One simulated lab for all tests here; it is gone when they end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from labkit import PHONES, Lab
from phonekit import docker_inventory, snapshot


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Four bare phones, of the kinds in KINDS; nothing has been done to them."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    made.lab("down").ok()
    made.lab_up()
    made.configure()
    yield made
    made.lab("down").ok()


@pytest.fixture(scope="session")
def as_found(lab: Lab) -> dict[str, dict[str, str]]:
    """Each phone as it was before cloudlet."""
    return {phone: {**docker_inventory(lab, phone), **snapshot(lab, phone)} for phone in PHONES}


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A configuration whose phones do not exist, and nothing in the state."""
    made = Lab(tmp_path_factory.mktemp("empty"))
    made.configure()
    nowhere = made.value("phones")
    for number, phone in enumerate(nowhere.values()):
        # Ports of 127.0.0.9, where no lab publishes anything.
        phone["ssh"] = {"host": "127.0.0.9", "port": 2201 + number}
    made.configure(phones=nowhere, ssh={"user": "cloudlet", "privateKeyFile": "no/such/key"})
    return made
