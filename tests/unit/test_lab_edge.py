"""The edge of the program: one error for all mistakes, and plans that no machine changes."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest

from components import lab_edge
from components.stack import in_order
from tests.unit.keys import private_key

VALUES = {
    "cloudlet:phones": json.dumps({"phone-1": {"address": "10.0.0.1", "role": "manager"}}),
    "cloudlet:ssh": json.dumps({"user": "cloudlet", "privateKeyFile": "keys/id"}),
    "cloudlet:stacks": json.dumps({"shop": {"file": "stacks/shop.yml"}}),
    "cloudlet:secrets": json.dumps({"TOKEN": "top-secret-token"}),
    "docker:host": "unix:///elsewhere",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a key and one stack."""
    (tmp_path / "keys").mkdir()
    private_key(tmp_path / "keys" / "id")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "shop.yml").write_text(
        "services:\n  web:\n    image: web:1\n    environment:\n"
        "      TOKEN: ${TOKEN}\n      HOST: ${ENTRY_ADDRESS}\n"
    )
    return tmp_path


def read(root: Path, **changes: str) -> lab_edge.LabArgs:
    values = {**VALUES, **{f"cloudlet:{key}": value for key, value in changes.items()}}
    return lab_edge.read(values, encrypted={"cloudlet:secrets"}, project="cloudlet", root=root)


def test_a_stack_is_given_the_labs_secrets_and_its_entry_address(root: Path) -> None:
    lab = read(root)
    (web,) = in_order(lab.stacks["shop"].services)
    assert web.environment == {"TOKEN": "top-secret-token", "HOST": "10.0.0.1"}
    assert lab.secret_values == {"top-secret-token"}


def test_the_key_is_named_as_every_machine_with_the_checkout_understands_it(root: Path) -> None:
    assert read(root).phones["phone-1"].host.key_file == "keys/id"


@pytest.mark.parametrize(
    ("path", "told"),
    [("/lab/stacks/x.yml", "stacks/x.yml"), ("~/.ssh/id", "~/.ssh/id"), ("/etc/key", "/etc/key")],
)
def test_paths_in_plans_do_not_change_with_the_machine(path: str, told: str) -> None:
    assert lab_edge.portable(Path(path).expanduser(), Path("/lab")) == told


def test_a_mistake_in_a_stack_is_an_error_that_pulumi_shows_without_a_traceback(
    root: Path,
) -> None:
    (root / "stacks" / "shop.yml").write_text("services: {web: {image: 'web:${NO}', colour: red}}")
    with pytest.raises(pulumi.RunError) as caught:
        read(root)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("stacks/shop.yml: services.web.") for line in lines)


def test_a_missing_key_stops_an_up_but_not_a_preview(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "keys" / "id").unlink()
    with pytest.raises(pulumi.RunError, match=r"ssh\.privateKeyFile: .* does not exist"):
        read(root)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert read(root).phones["phone-1"].private_key is None


def test_a_key_that_is_none_is_one_error_for_all_phones(root: Path) -> None:
    (root / "keys" / "id").write_text("hello")
    with pytest.raises(pulumi.RunError, match=r"ssh\.privateKeyFile: .* is not a private key"):
        read(root)


def test_a_stack_that_is_no_text_is_named(root: Path) -> None:
    (root / "stacks" / "shop.yml").write_bytes(b"\xff\xfe")
    with pytest.raises(pulumi.RunError, match=r"^stacks/shop\.yml: is not UTF-8 text"):
        read(root)


def test_a_stack_may_stand_in_several_files_of_which_the_first_gives_the_folder(
    root: Path,
) -> None:
    (root / "more").mkdir()
    (root / "more" / "more.yml").write_text(
        "services: {web: {env_file: web.env}}\nsecrets: {s: {file: key}}"
    )
    (root / "stacks" / "web.env").write_text("TOKEN=\nCOLOUR=red\n")
    (root / "stacks" / "key").write_text("of the door")
    files = ["stacks/shop.yml", "more/more.yml"]
    shop = read(root, stacks=json.dumps({"shop": {"files": files}})).stacks["shop"]
    assert shop.services["web"].environment == {
        "COLOUR": "red",
        "HOST": "10.0.0.1",
        "TOKEN": "top-secret-token",
    }
    assert shop.secrets["s"].data == b"of the door"


def test_a_mistake_names_the_one_of_several_files_that_has_it(root: Path) -> None:
    (root / "more.yml").write_text("services: {web: {colour: red}}")
    files = ["stacks/shop.yml", "more.yml"]
    with pytest.raises(pulumi.RunError, match=r"^more\.yml: services\.web\.colour: unknown key"):
        read(root, stacks=json.dumps({"shop": {"files": files}}))


def test_two_stacks_cannot_publish_one_port(root: Path) -> None:
    text = "services: {web: {image: web, ports: ['80:80']}}"
    (root / "stacks" / "shop.yml").write_text(text)
    both = json.dumps({name: {"file": "stacks/shop.yml"} for name in ("a", "b")})
    with pytest.raises(pulumi.RunError, match="b_web publishes port 80, which a_web publishes"):
        read(root, stacks=both)


@pytest.mark.parametrize("routing", ["mesh", "host"])
def test_a_port_that_a_phone_itself_needs_is_not_published(root: Path, routing: str) -> None:
    ports = "['22:80', '2377:80', '7946:80/udp', '7946:80', '4789:80/udp', '8080:80', '22:80/udp']"
    text = f"services: {{web: {{image: web, ports: {ports}}}}}"
    (root / "stacks" / "shop.yml").write_text(text)
    with pytest.raises(pulumi.RunError) as caught:
        read(root, routing=routing)
    who = {"22/tcp": "SSH", "4789/udp": "swarm.dataPathPort"}
    assert str(caught.value).splitlines() == [
        f"stacks.shop: services.web.ports: {port} is {who.get(port, 'Swarm')}'s on every phone; "
        "publish another"
        for port in ("22/tcp", "2377/tcp", "4789/udp", "7946/tcp", "7946/udp")
    ]


def test_a_phone_whose_ssh_listens_elsewhere_has_its_own_port_to_keep(root: Path) -> None:
    def told(phone: dict[str, object]) -> str:
        phones = {"phone-1": {"address": "10.0.0.1", "role": "manager", **phone}}
        with pytest.raises(pulumi.RunError) as caught:
            read(root, phones=json.dumps(phones))
        return str(caught.value)

    text = "services: {web: {image: web, ports: ['22:80', '2222:80']}}"
    (root / "stacks" / "shop.yml").write_text(text)
    assert "ports: 2222/tcp is SSH's" in told({"ssh": {"host": "10.0.0.1", "port": 2222}})
    # Where this machine gets there by another way, the phone's own sshd is where it always is.
    assert "ports: 22/tcp is SSH's" in told({"ssh": {"host": "127.0.0.1", "port": 2222}})


def test_a_stacks_network_is_not_laid_over_the_phones(root: Path) -> None:
    def networks(**of: object) -> str:
        web = {"image": "web", "networks": ["n"]}
        text = json.dumps({"services": {"web": web}, "networks": {"n": of}})
        (root / "stacks" / "shop.yml").write_text(text)
        try:
            read(root)
        except pulumi.RunError as error:
            return str(error)
        return ""

    assert networks(ipam={"config": [{"subnet": "10.0.0.0/24"}]}) == (
        "stacks.shop: networks.n: 10.0.0.0/24 holds the address of phone-1; "
        "choose a subnet that nothing else uses"
    )
    assert networks(ipam={"config": [{"subnet": "10.0.1.0/24"}]}) == ""
    # A macvlan is made to share it.
    assert networks(driver="macvlan", ipam={"config": [{"subnet": "10.0.0.0/24"}]}) == ""


@pytest.mark.parametrize(
    "key", ["cloudlt:swarm", "Cloudlet:swarm", "cloud-let:engine", "lab:phones", "dev:wifi"]
)
def test_a_key_under_a_name_that_nobody_reads_is_told_with_the_one_to_write(
    root: Path, key: str
) -> None:
    values = {**VALUES, key: "{}", "cloudlet:routing": "mehs"}
    with pytest.raises(pulumi.RunError) as caught:
        lab_edge.read(values, encrypted={"cloudlet:secrets"}, project="cloudlet", root=root)
    first, second = str(caught.value).splitlines()
    assert first == f"{key}: nothing reads this; write cloudlet:{key.partition(':')[2]}"
    assert second.startswith("routing: ")


@pytest.mark.parametrize(
    "key", ["pulumi:tags", "docker:host", "command:ssh", "aws:region", "cloudflare:zone"]
)
def test_keys_of_others_are_left_alone(root: Path, key: str) -> None:
    lab_edge.read(
        {**VALUES, key: "x"}, encrypted={"cloudlet:secrets"}, project="cloudlet", root=root
    )


def test_what_is_external_is_left_to_the_swarm_to_say(root: Path) -> None:
    text = "services: {web: {image: web, secrets: [s]}}\nsecrets: {s: {external: true}}"
    (root / "stacks" / "shop.yml").write_text(text)
    assert read(root).stacks["shop"].secrets["s"].external


def test_published_ports_are_on_the_entry_phone_where_the_lab_says_so(root: Path) -> None:
    (root / "stacks" / "shop.yml").write_text("services: {web: {image: web, ports: ['80:80']}}")
    web = read(root, routing="host").stacks["shop"].services["web"]
    assert web.ports[0].mode == "host"
    assert web.placement.constraints == ("node.labels.cloudlet.phone == phone-1",)


def test_more_tasks_than_a_phone_has_ports_for_are_refused_where_all_ports_are_on_one(
    root: Path,
) -> None:
    text = "services: {web: {image: web, ports: ['80:80'], deploy: {replicas: 2}}}"
    (root / "stacks" / "shop.yml").write_text(text)
    assert read(root).stacks["shop"].services["web"].replicas == 2
    with pytest.raises(pulumi.RunError, match=r"services\.web: routing: host .* mode: global"):
        read(root, routing="host")


DIGEST = f"sha256:{'a' * 64}"
TWO_PHONES = json.dumps(
    {
        "phone-1": {"address": "10.0.0.1", "role": "manager"},
        "phone-2": {"address": "10.0.0.2"},
    }
)


def test_data_that_may_stay_behind_is_a_warning_that_says_how_to_pin_it(root: Path) -> None:
    text = "services: {db: {image: db, volumes: ['data:/d']}}\nvolumes: {data: {}}"
    (root / "stacks" / "shop.yml").write_text(text)
    (warning,) = read(root, phones=TWO_PHONES).warnings
    assert warning.startswith("stacks.shop: services.db: its volume shop_data stays on the phone")
    assert "[node.labels.cloudlet.phone == phone-1]" in warning
    assert read(root).warnings == ()


def test_a_lab_has_the_digests_that_its_lock_file_has(root: Path) -> None:
    (root / "lock.yml").write_text(f"web:1: {{digest: '{DIGEST}', platforms: [linux/arm64]}}\n")
    lab = read(root, lock="lock.yml")
    assert lab.lock["web:1"].digest == DIGEST
    assert lab.warnings == ()


def test_an_image_that_is_not_locked_is_a_warning_that_names_the_command(root: Path) -> None:
    assert read(root, lock="lock.yml").warnings == (
        "lock: lock.yml does not have web:1; `make lock` writes it anew",
    )


@pytest.mark.parametrize("text", ["[", "- a", "web:1: {digest: short, platforms: []}", "web:1: x"])
def test_a_damaged_lock_is_an_error_that_says_what_to_do(root: Path, text: str) -> None:
    (root / "lock.yml").write_text(text)
    with pytest.raises(pulumi.RunError, match=r"lock\.yml: .*write it anew with `make lock`"):
        read(root, lock="lock.yml")


def hello(root: Path, build: str = ".", ports: str = "8080:8080") -> None:
    text = f"services: {{web: {{build: {build}, ports: ['{ports}']}}}}"
    (root / "stacks" / "shop.yml").write_text(text)


REGISTRY = json.dumps({"phone": "phone-1"})


def test_without_a_registry_a_build_says_what_it_lacks(root: Path) -> None:
    hello(root)
    with pytest.raises(pulumi.RunError, match=r"cloudlet:registry: \{phone: phone-1\}"):
        read(root)


def test_a_registry_is_one_of_the_phones_and_all_of_them_trust_it(root: Path) -> None:
    engine = json.dumps({"registryMirror": "http://10.0.0.9:5000"})
    lab = read(root, phones=TWO_PHONES, registry=REGISTRY, engine=engine)
    assert lab.registry is not None
    assert (lab.registry.images, lab.cache_mb) == ("10.0.0.1:5080", 4096)
    assert lab.upstream == "http://10.0.0.9:5000"
    for phone in lab.phones.values():
        assert phone.docker_config["registry-mirrors"] == [
            "http://10.0.0.1:5082",
            "http://10.0.0.9:5000",
        ]
        assert phone.docker_config["insecure-registries"] == [
            "10.0.0.1:5080",
            "10.0.0.1:5082",
            "10.0.0.9:5000",
        ]


def test_what_a_service_is_built_from_is_found_beside_its_file(root: Path) -> None:
    hello(root)
    (root / "stacks" / "Dockerfile").write_text("FROM busybox")
    lab = read(root, registry=REGISTRY)
    context = lab.contexts["shop"]["web"]
    assert (str(context.folder), str(context.dockerfile)) == ("stacks", "stacks/Dockerfile")


def test_a_secret_in_an_argument_of_a_build_is_a_warning(root: Path) -> None:
    hello(root)
    file = root / "stacks" / "shop.yml"
    file.write_text("services: {web: {build: {args: {TOKEN: '${TOKEN}'}}}}")
    (root / "stacks" / "Dockerfile").write_text("FROM busybox")
    (told,) = [line for line in read(root, registry=REGISTRY).warnings if "args.TOKEN" in line]
    assert told.endswith("hand it over by build.secrets")
    assert "top-secret-token" not in told
    file.write_text("services: {web: {build: {args: {LD_PRELOAD: '${TOKEN}'}}}}")
    with pytest.raises(pulumi.RunError, match=r"services\.web\.build\.args\.LD_PRELOAD has a sec"):
        read(root, registry=REGISTRY)


def test_a_dockerfile_that_is_missing_is_told_with_its_place(root: Path) -> None:
    hello(root)
    with pytest.raises(pulumi.RunError) as caught:
        read(root, registry=REGISTRY)
    assert str(caught.value) == (
        'stacks/shop.yml: services.web.build: there is no file "Dockerfile" in "."; write one, or '
        "dockerfile: and its name"
    )


@pytest.mark.parametrize("port", [5080, 5081, 5082])
def test_the_registrys_ports_are_nobody_elses(root: Path, port: int) -> None:
    hello(root, ports=f"{port}:80")
    (root / "stacks" / "Dockerfile").write_text("FROM busybox")
    with pytest.raises(pulumi.RunError) as caught:
        read(root, registry=REGISTRY)
    assert str(caught.value) == (
        f"stacks.shop: services.web: port {port} is the registry's, which takes 5080 to 5082; "
        "publish another, or give registry.port another"
    )


@pytest.mark.parametrize(("port", "who"), [(2376, "Swarm"), (7946, "Swarm")])
def test_the_registry_takes_no_port_that_the_phones_need(root: Path, port: int, who: str) -> None:
    hello(root)
    (root / "stacks" / "Dockerfile").write_text("FROM busybox")
    with pytest.raises(pulumi.RunError, match=rf"registry.port: \d+, .* is {who}'s on every phone"):
        read(root, registry=json.dumps({"phone": "phone-1", "port": port}))


def test_an_image_that_is_built_is_not_missing_in_a_lock(root: Path) -> None:
    hello(root)
    (root / "stacks" / "Dockerfile").write_text("FROM busybox")
    assert read(root, registry=REGISTRY, lock="lock.yml").warnings == ()
