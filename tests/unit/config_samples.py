"""A sound configuration for the tests, and ways to spoil it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.config import ConfigError, load

TEXT = ("password", "wifiPassword", "routing", "entryAddress")
GONE = object()
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEdRaqLTbtVPpmbzDCLCIWXJmJnmBgWsqAMGRpJ7rPtU"
RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7"

SOUND: dict[str, Any] = {
    "phones": {
        "phone-1": {"address": "192.168.8.11", "role": "manager"},
        "phone-2": {"address": "192.168.8.12"},
    },
    "ssh": {"user": "cloudlet", "privateKeyFile": "keys/id_ed25519"},
    "password": "1234",
    "wifi": {"ssid": "cloudlet", "forget": ["ut-public"]},
    "wifiPassword": "my-secure-password",
    "stacks": {"web": {"file": "web.yml"}},
    "secrets": {"PORTAINER_ADMIN_PASSWORD": "coffee-for-everyone"},
}


def changed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """SOUND with some values set or, with GONE, taken out; a path is written ``phones/phone-1``."""
    lab = copy.deepcopy(SOUND)
    for path, value in changes.items():
        *maps, last = path.split("/")
        place = lab
        for part in maps:
            place = place.setdefault(part, {})
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return lab


def handed(lab: Mapping[str, Any]) -> dict[str, str]:
    """As Pulumi hands a configuration to the program."""
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in lab.items()
    }


def problems(changes: Mapping[str, Any], root: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(handed(changed(changes)), root=root)
    return list(caught.value.problems)
