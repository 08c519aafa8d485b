"""The swarm's way through a phone's firewall."""

from __future__ import annotations

from fake_phone import NETWORK, PORT, FakePhone


def test_the_swarm_is_let_in_from_the_labs_network_and_lies_in_a_file(phone: FakePhone) -> None:
    phone.with_firewall()
    said = phone.is_right_for_good(*NETWORK)
    assert "let the swarm in from 192.168.8.0/24 on wlan0" in said
    rules = phone.read("etc/nftables.d/60_cloudlet.nft")
    for words in ("tcp dport { 2377, 7946 }", "udp dport { 7946, 4789 }", "ip protocol esp"):
        assert f'iifname "wlan0" ip saddr 192.168.8.0/24 {words} accept' in rules
    chain = (phone.state / "chain").read_text()
    assert chain.count("cloudlet-swarm 192.168.8.12 4789") == 3
    assert "tcp dport 22 accept\n" in chain, "what was there stays: nothing is flushed"


def test_another_port_takes_the_place_of_the_one_before(phone: FakePhone) -> None:
    phone.with_firewall()
    phone.succeeds(*NETWORK)
    phone.is_right_for_good(*NETWORK[:3], "4790")
    chain = (phone.state / "chain").read_text()
    assert chain.count("cloudlet-swarm") == chain.count("192.168.8.12 4790") == 3


def test_rules_that_are_loaded_are_loaded_again_after_somebody_took_one(phone: FakePhone) -> None:
    phone.with_firewall()
    phone.succeeds(*NETWORK)
    chain = phone.state / "chain"
    chain.write_text("".join(chain.read_text().splitlines(keepends=True)[:-1]))
    phone.is_right_for_good(*NETWORK)
    assert chain.read_text().count("cloudlet-swarm") == 3


def test_nothing_is_done_where_no_firewall_runs(phone: FakePhone) -> None:
    before = phone.files()
    assert "no firewall" in phone.succeeds(*NETWORK)
    assert phone.files() == before


def test_a_firewall_that_forgets_at_boot_is_not_half_opened(phone: FakePhone) -> None:
    phone.with_firewall(read_at_boot=False)
    before = phone.files()
    assert phone.fails(*NETWORK) == (
        "the phone's firewall drops what comes in, and it does not read "
        f"{phone.root}/etc/nftables.d at boot. "
        "Let 2377/tcp, 7946/tcp, 7946/udp and 4789/udp in, or include it"
    )
    assert phone.files() == before


def test_an_address_that_is_not_the_phones_is_named_with_what_it_has(phone: FakePhone) -> None:
    assert phone.fails("network.sh", "phone-2", "192.168.8.99", PORT) == (
        "phones.phone-2.address is 192.168.8.99, but the phone has 192.168.8.12; write the one "
        "that the other phones reach, or give it for good with cloudlet:wifi.static"
    )
