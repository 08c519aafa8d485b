"""Which phones a change of the configuration calls."""

from __future__ import annotations

from components.remote.ssh import Host
from components.roll_call import RollCallProvider

HOST = Host(name="phone-7", host="h", port=22, user="cloudlet", key_file="k")


def test_a_phone_that_is_taken_out_is_not_called_and_does_not_show_in_a_plan() -> None:
    one, two = HOST.to_inputs(), HOST.to_inputs() | {"port": 23}
    provider = RollCallProvider()

    def changes(olds: dict[str, object], news: dict[str, object]) -> bool | None:
        return provider.diff("", {"phones": olds}, {"phones": news}).changes

    assert not changes({"one": one, "two": two}, {"one": one})
    assert changes({"one": one}, {"one": one, "two": two})
    assert changes({"one": one}, {"one": two})


def test_a_phone_whose_host_key_is_written_down_is_not_called_again() -> None:
    one = HOST.to_inputs()
    pinned = HOST.with_host_key("ssh-ed25519 AAAA").to_inputs()
    assert (
        not RollCallProvider()
        .diff("", {"phones": {"one": one}}, {"phones": {"one": pinned}})
        .changes
    )
