"""Mistakes that can be made in describing phones."""

from __future__ import annotations

from typing import Any

from config_samples import ED25519, GONE, RSA

SCAN = "run ssh-keyscan -t ed25519 ADDRESS and copy what follows the address"
NAME_OF_PHONE = (
    "is no name for a phone; use lower-case letters, digits and inner hyphens, "
    "as in a hostname, at most 63"
)
NAME_OF_LABEL = (
    "is no name for a label; use letters, digits, dots, hyphens and underscores, "
    "a letter or underscore first, at most 63"
)
UNREACHABLE = (
    "; give the phone's own address on the lab's network, and what only this machine uses "
    "as ssh: {host, port}"
)

# id: (what is changed in a sound configuration, the line that a person reads)
PHONES: dict[str, tuple[dict[str, Any], str]] = {
    "no phones": ({"phones": {}}, "phones: is empty; a lab has at least one phone"),
    "phones missing": ({"phones": GONE}, "phones: is missing: the phones, by name"),
    "no manager": (
        {"phones/phone-1/role": "worker"},
        "phones: no phone is a manager; give one of them role: manager",
    ),
    "unknown availability": (
        {"phones/phone-1/availability": "drained"},
        "phones.phone-1.availability: must be 'active', 'pause' or 'drain', not 'drained'",
    ),
    "unknown role": (
        {"phones/phone-1/role": "manger"},
        "phones.phone-1.role: must be 'manager' or 'worker', not 'manger'",
    ),
    "address missing": (
        {"phones/phone-2/address": GONE},
        "phones.phone-2.address: is missing: the phone's IPv4 address on the lab's network, "
        "for example 192.168.8.12",
    ),
    "malformed address": (
        {"phones/phone-2/address": "192.168.8.300"},
        "phones.phone-2.address: '192.168.8.300' is not an IPv4 address; "
        "write one like 192.168.8.12",
    ),
    "loopback address": (
        {"phones/phone-2/address": "127.0.0.1"},
        f"phones.phone-2.address: the other phones cannot reach 127.0.0.1{UNREACHABLE}",
    ),
    "doubled address": (
        {"phones/phone-2/address": "192.168.8.11"},
        "phones.phone-2.address: 192.168.8.11 is phone-1's already; every phone has its own",
    ),
    "doubled ssh host and port": (
        {
            "phones/phone-1/ssh": {"host": "jump.example", "port": 2201},
            "phones/phone-2/ssh": {"host": "Jump.example", "port": 2201},
        },
        "phones.phone-2.ssh: jump.example:2201 is where phone-1 is reached already; "
        "every phone has its own",
    ),
    "ssh at another phone's address": (
        {"phones/phone-2/ssh": {"host": "192.168.8.11"}},
        "phones.phone-2.ssh: 192.168.8.11:22 is where phone-1 is reached already; "
        "every phone has its own",
    ),
    "ssh host malformed": (
        {"phones/phone-2/ssh": {"host": "a b"}},
        "phones.phone-2.ssh.host: 'a b' is neither a host name nor an address",
    ),
    "port too large": (
        {"phones/phone-2/ssh": {"host": "127.0.0.1", "port": 70000}},
        "phones.phone-2.ssh.port: 70000 is too large; at most 65535",
    ),
    "port too small": (
        {"phones/phone-2/ssh": {"host": "127.0.0.1", "port": 0}},
        "phones.phone-2.ssh.port: 0 is too small; at least 1",
    ),
    "name of a phone": (
        {"phones/phone_3": {"address": "192.168.8.13"}},
        f"phones.phone_3: {NAME_OF_PHONE}",
    ),
    "name of a phone with a dot": (
        {"phones/phone.3": {"address": "192.168.8.13"}},
        f"phones.'phone.3': {NAME_OF_PHONE}",
    ),
    "name of a phone too long": (
        {"phones/" + "a" * 64: {"address": "192.168.8.13"}},
        f"phones.{'a' * 64}: {NAME_OF_PHONE}",
    ),
    "RSA host key": (
        {"phones/phone-1/hostKey": RSA},
        "phones.phone-1.hostKey: is an RSA key, and pinning one makes the phone sign with SHA-1, "
        f"which today's SSH servers refuse; give its ed25519 key: {SCAN}",
    ),
    "ECDSA host key": (
        {"phones/phone-1/hostKey": "ecdsa-sha2-nistp256 AAAA"},
        "phones.phone-1.hostKey: is a key of type 'ecdsa-sha2-nistp256'; "
        f"give the phone's ed25519 key: {SCAN}",
    ),
    "host key with its host in front": (
        {"phones/phone-1/hostKey": f"192.168.8.11 {ED25519}"},
        f"phones.phone-1.hostKey: is not in the form ssh-ed25519 AAAA…; {SCAN}",
    ),
    "host key cut short": (
        {"phones/phone-1/hostKey": ED25519[:-8]},
        f"phones.phone-1.hostKey: is not in the form ssh-ed25519 AAAA…; {SCAN}",
    ),
    "host key that is a fingerprint": (
        {"phones/phone-1/hostKey": "SHA256:abcdef"},
        f"phones.phone-1.hostKey: is not in the form ssh-ed25519 AAAA…; {SCAN}",
    ),
    "label of cloudlet's own": (
        {"phones/phone-1/labels": {"cloudlet.phone": "x"}},
        "phones.phone-1.labels.'cloudlet.phone': "
        "labels that start with cloudlet. are set by cloudlet itself",
    ),
    "name of a label": (
        {"phones/phone-1/labels": {"top shelf": "x"}},
        f"phones.phone-1.labels.'top shelf': {NAME_OF_LABEL}",
    ),
    "label that no constraint can name": (
        {"phones/phone-1/labels": {"shelf": "töp"}},
        "phones.phone-1.labels.shelf: 'töp' cannot be matched by a placement constraint; "
        "use letters, digits, spaces and . _ : / -, a letter or digit first, at most 63",
    ),
}
