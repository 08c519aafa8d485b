"""No message, and nothing that is printed, holds the value of a secret."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from config_mistakes_lab import LAB
from config_mistakes_phones import PHONES
from config_samples import changed, handed

from components.config import ConfigError, load

MARKER = "zQ7x"  # short, so that it fits into values that are wrong for being short
SECRETS = {
    "password": f"{MARKER}-password",
    "wifiPassword": f"{MARKER}-wifi-password",
    "secrets/PORTAINER_ADMIN_PASSWORD": f"{MARKER}-for-portainer",
    "secrets/POSTGRES_PASSWORD": f"{MARKER}-for-postgres",
}

# What people do to secrets, each of which must fail without showing the value.
MISHAPS: dict[str, dict[str, Any]] = {
    "wifi password too short": {"wifiPassword": MARKER},
    "wifi password too long": {"wifiPassword": MARKER * 20},
    "wifi password of 64": {"wifiPassword": MARKER * 16},
    "wifi password not ASCII": {"wifiPassword": f"{MARKER}-pässword"},
    "too short for Portainer": {"secrets/PORTAINER_ADMIN_PASSWORD": MARKER},
    "password as a map": {"password": json.dumps({"secur": MARKER})},
    "secret as a map": {"secrets/POSTGRES_PASSWORD": {"secur": MARKER}},
    "secret as a list": {"secrets/POSTGRES_PASSWORD": [MARKER]},
    "secrets as text": {"secrets": MARKER},
    "secrets as a list": {"secrets": [MARKER]},
    "secrets as broken JSON": {"secrets": f'{{"A": "{MARKER}" "B"'},
    "secrets with a stray quote": {"secrets": f'{{"A": "{MARKER}\n"}}'},
    "secret of a misspelt key": {"passwrd": MARKER},
    "secret among a phone's keys": {"phones/phone-1/password": MARKER},
    "secret among ssh's keys": {"ssh/password": MARKER},
    "private key in the place of its path": {
        "ssh/privateKeyFile": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{MARKER}"
    },
    "private key in the place of the host key": {
        "phones/phone-1/hostKey": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{MARKER}"
    },
    "mirror with a password": {
        "engine": {"registryMirror": f"http://me:{MARKER}@192.168.8.2:5000"}
    },
    "mirror with a password and no port": {
        "engine": {"registryMirror": f"http://me:{MARKER}@192.168.8.2:port"}
    },
    "variable as a map": {"stacks/web/variables": {"A": {"secure": MARKER}}},
}
EVERY = {name: changes for name, (changes, _) in (LAB | PHONES).items()} | MISHAPS


@pytest.mark.parametrize("changes", EVERY.values(), ids=EVERY.keys())
def test_no_error_shows_a_secret(root: Path, changes: dict[str, Any]) -> None:
    # The marked secrets come first, so that a case may spoil one of them.
    marked = {path: value for path, value in SECRETS.items() if path.split("/")[0] not in changes}
    values = handed(changed(marked | changes))
    with pytest.raises(ConfigError) as caught:
        load(values, root=root)
    printed = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert MARKER not in printed


def test_a_lab_is_printed_without_its_secrets(root: Path) -> None:
    lab = load(handed(changed(SECRETS)), root=root)
    assert MARKER not in repr(lab)
    assert MARKER not in str(lab)


def test_secrets_in_plain_text_are_refused_where_pulumis_own_list_is_known(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(handed(changed({})), root=root, encrypted=("password",))
    assert caught.value.problems == (
        "wifiPassword: stands in plain text; encrypt it: "
        "pulumi config set --secret cloudlet:wifiPassword",
        "secrets: stands in plain text; encrypt it: "
        "pulumi config set --secret --path cloudlet:secrets.NAME",
    )
