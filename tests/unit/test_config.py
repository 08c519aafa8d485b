"""What a lab's file turns into, and that all of its mistakes are told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from config_mistakes_lab import LAB
from config_mistakes_phones import PHONES
from config_samples import ED25519, GONE, changed, handed, problems

from components.config import ConfigError, Lab, load

CHECKOUT = Path(__file__).parents[2]
MISTAKES = LAB | PHONES


def sound(root: Path, **changes: Any) -> Lab:
    paths = {path.replace("__", "/"): value for path, value in changes.items()}
    return load(handed(changed(paths)), root=root)


@pytest.mark.parametrize(("changes", "line"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line_that_names_the_key(
    root: Path, changes: dict[str, Any], line: str
) -> None:
    assert problems(changes, root) == [line]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_keys(root: Path) -> None:
    told = problems(
        {
            "zzz": "x",
            "cleanup": ["x"],
            "stacks/web/file": "gone.yml",
            "stacks/shop": {"file": "gone too.yml"},
            "wifiPassword": "short",
            "ssh/user": GONE,
            "phones/phone-1": {"address": "192.168.8.300", "role": "manager", "shelf": 1},
            "phones/phone-3": {"address": "192.168.8.12", "role": "boss", "hostKey": "x"},
            "phones/phone-4": {"address": "192.168.8.12"},
        },
        root,
    )
    assert [line.partition(": ")[0] for line in told] == [
        "phones.phone-1.address",
        "phones.phone-1.shelf",
        "phones.phone-3.role",
        "phones.phone-3.hostKey",
        "phones.phone-3.address",
        "phones.phone-4.address",
        "ssh.user",
        "wifiPassword",
        "stacks.web.file",
        "stacks.shop.file",
        "cleanup[0]",
        "zzz",
    ]


def test_the_error_is_its_problems_line_by_line(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(handed(changed({"routing": "x", "entryAddress": "y"})), root=root)
    assert len(caught.value.problems) == 2
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_a_token_epoch_is_a_number_though_pulumi_hands_it_as_text(root: Path) -> None:
    assert sound(root, tokenEpoch=3).token_epoch == 3


def test_defaults_are_filled_in(root: Path) -> None:
    lab = sound(root)
    phone = lab.phones["phone-2"]
    assert (phone.name, phone.role, phone.ssh_host, phone.ssh_port) == (
        "phone-2",
        "worker",
        "192.168.8.12",
        22,
    )
    assert phone.host_key is None
    assert dict(phone.labels) == {}
    assert (phone.availability, lab.token_epoch) == ("active", 0)
    assert (lab.routing, lab.entry_address, lab.cleanup) == ("mesh", "192.168.8.11", frozenset())
    assert lab.engine.model_dump() == {
        "registry_mirror": None,
        "log_max_size": "5m",
        "log_max_files": 2,
    }
    assert lab.swarm.model_dump() == {
        "address_pool": "10.20.0.0/16",
        "address_pool_mask": 24,
        "certificate_expiry": "8760h",
        "heartbeat": "5s",
        "data_path_port": 4789,
    }
    assert lab.warnings == ()


def test_what_is_given_is_kept(root: Path) -> None:
    lab = sound(
        root,
        phones__laptop={
            "address": "192.168.8.13",
            "hostKey": f"{ED25519} root@laptop",
            "labels": {"shelf": "top"},
            "ssh": {"host": "127.0.0.1", "port": 2201},
        },
        stacks__web__variables={"REPLICAS": "3"},
        engine={"registryMirror": "http://192.168.8.2:5000/"},
        cleanup=["images", "images"],
        entryAddress="127.0.0.1",
        routing="host",
    )
    phone = lab.phones["laptop"]
    assert (phone.ssh_host, phone.ssh_port) == ("127.0.0.1", 2201)
    assert phone.host_key == ED25519
    assert dict(phone.labels) == {"shelf": "top"}
    assert lab.stacks["web"].files == (root / "web.yml",)
    assert dict(lab.stacks["web"].variables) == {"REPLICAS": "3"}
    assert lab.engine.registry_mirror == "http://192.168.8.2:5000"
    assert (lab.cleanup, lab.entry_address, lab.routing) == ({"images"}, "127.0.0.1", "host")
    assert lab.wifi is not None
    assert (lab.wifi.ssid, lab.wifi.forget) == ("cloudlet", ("ut-public",))
    assert lab.wifi.password.get_secret_value() == "my-secure-password"
    assert lab.secrets["PORTAINER_ADMIN_PASSWORD"].get_secret_value() == "coffee-for-everyone"


def test_the_order_of_phones_is_natural_however_they_are_written(root: Path) -> None:
    names = ["phone-10", "phone-2", "laptop"]
    more = {
        f"phones__{name}": {"address": f"192.168.8.{20 + place}", "role": "manager"}
        for place, name in enumerate(names)
    }
    lab = sound(root, **more)
    assert list(lab.phones) == ["laptop", "phone-1", "phone-2", "phone-10"]
    assert [phone.name for phone in lab.managers] == list(lab.phones)
    assert lab.workers == ()
    assert lab.entry_address == lab.phones["laptop"].address


def test_a_number_as_first_password_is_text_as_pulumi_hands_it(root: Path) -> None:
    lab = sound(root, password="1234")
    assert lab.password is not None
    assert lab.password.get_secret_value() == "1234"


def test_a_lab_without_wifi_password_stacks_and_secrets_is_sound(root: Path) -> None:
    lab = sound(root, wifi=GONE, wifiPassword=GONE, password=GONE, stacks=GONE, secrets=GONE)
    assert (lab.wifi, lab.password, dict(lab.stacks), dict(lab.secrets)) == (None, None, {}, {})


def test_the_private_key_is_found_from_home_from_the_root_or_anywhere(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    for written, found in {
        "~/.ssh/id": Path("/home/someone/.ssh/id"),
        "keys/id": root / "keys/id",
        "/etc/id": Path("/etc/id"),
    }.items():
        assert sound(root, ssh__privateKeyFile=written).ssh.private_key_file == found


@pytest.mark.parametrize(
    ("managers", "warning"),
    [
        (1, None),
        (
            2,
            "phones: 2 managers tolerate the loss of 0, as 1 does; "
            "make it 1, or 3 to tolerate the loss of 1",
        ),
        (3, None),
        (
            4,
            "phones: 4 managers tolerate the loss of 1, as 3 do; "
            "make it 3, or 5 to tolerate the loss of 2",
        ),
    ],
)
def test_an_even_number_of_managers_is_a_warning_that_says_its_cost(
    root: Path, managers: int, warning: str | None
) -> None:
    more = {
        f"phones__m{place}": {"address": f"192.168.8.{20 + place}", "role": "manager"}
        for place in range(1, managers)
    }
    assert sound(root, **more).warnings == (() if warning is None else (warning,))


def test_a_wifi_password_without_wifi_is_a_warning(root: Path) -> None:
    assert sound(root, wifi=GONE).warnings == ("wifiPassword: is not used, as there is no wifi",)


def test_a_lab_cannot_be_changed(root: Path) -> None:
    lab = sound(root)
    with pytest.raises(AttributeError):
        lab.routing = "host"  # type: ignore[misc]
    with pytest.raises(TypeError):
        cast("dict[str, Any]", lab.phones)["phone-3"] = lab.phones["phone-2"]


def test_the_simulated_labs_own_file_is_sound() -> None:
    config = yaml.safe_load((CHECKOUT / "Pulumi.dev.yaml").read_text())["config"]
    values = {key.removeprefix("cloudlet:"): _decrypted(value) for key, value in config.items()}
    lab = load(handed(values), root=CHECKOUT, encrypted={"password", "wifiPassword", "secrets"})
    assert [phone.name for phone in lab.managers] == ["phone-1", "phone-2", "phone-3"]
    assert lab.warnings == ()


def _decrypted(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    written = cast("Mapping[str, Any]", value)
    if list(written) == ["secure"]:
        return "long enough for all"
    return {key: _decrypted(inner) for key, inner in written.items()}
