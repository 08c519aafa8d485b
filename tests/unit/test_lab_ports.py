"""Who holds a port that the lab needs."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lab.docker import Docker
from lab.errors import LabError
from lab.ports import is_free, listening_inodes, publisher, require_free
from lab.system import Completed, System

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0200007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1
   2: 00000000:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1
   3: 0200007F:1388 0200007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 444 1
"""


def test_a_listener_is_found_by_address_and_port() -> None:
    assert listening_inodes(TABLE, "127.0.0.2", 5000) == {"111"}


def test_a_listener_on_all_addresses_holds_every_one() -> None:
    assert listening_inodes(TABLE, "127.0.0.2", 8888) == {"333"}


def test_a_port_that_nobody_holds_has_no_listener() -> None:
    assert listening_inodes(TABLE, "127.0.0.2", 9000) == set()


def test_the_container_that_publishes_the_port_on_this_address_is_named() -> None:
    table = "lab-one 127.0.0.2:5000->5000/tcp, 127.0.0.2:2201->22/tcp\nshop 0.0.0.0:5000->80/tcp\n"
    assert publisher(table, "127.0.0.2", 5000) == "lab-one"
    assert publisher(table, "127.0.0.9", 5000) == "shop"
    assert publisher(table, "127.0.0.9", 2201) is None


class NoDocker(System):
    """A machine whose engine knows no containers."""

    def run(self, *_args: object, **_more: object) -> Completed:
        return Completed(code=0)


def test_a_taken_port_is_an_error_that_names_port_and_holder() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        name = Path("/proc/self/comm").read_text().strip()
        with pytest.raises(LabError, match=rf"port 127.0.0.1:{port} is taken by {name} \(process"):
            require_free(Docker(system=NoDocker()), "127.0.0.1", [port])


def test_a_port_that_was_just_given_back_is_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
    assert is_free("127.0.0.1", port)
