"""Phone, Swarm and Stack under Pulumi's mocks: what they register, and what never shows."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import Any

import pulumi
import pytest
from recorder import HOST_KEY, Recorder, run

from components import compose
from components.docker_host import provider
from components.images.image_lock import Locked
from components.phone import Phone, PhoneArgs, Wifi
from components.remote.ssh import Host
from components.services.fingerprints import fingerprint, spec_digest
from components.services.routing import routed
from components.stack import Stack, StackArgs, in_order
from components.swarm import Member, Swarm, SwarmArgs
from components.swarm_init import SwarmSettings

PASSWORD, WIFI_PASSWORD, DATABASE_PASSWORD = "phone-pass", "wifi-pass-word", "database-pass"
SETTINGS = SwarmSettings(
    address_pool="10.20.0.0/16",
    address_pool_mask=24,
    certificate_expiry=31_536_000_000_000_000,
    heartbeat=20_000_000_000,
    data_path_port=4789,
    token_epoch=0,
)
LOCKED = Locked(digest=f"sha256:{'1' * 64}", platforms=("linux/arm64",))
STACK = """
services:
  web:
    image: example/web:1
    depends_on: [db]
    environment: {URL: "postgres://u:${DATABASE_PASSWORD}@db", COLOUR: blue}
    ports: ["8080:80"]
    secrets: [token]
    healthcheck: {test: "probe --password ${DATABASE_PASSWORD}"}
    deploy: {replicas: 1, labels: {auth: "user:${DATABASE_PASSWORD}"}}
  db:
    image: example/db:1
    volumes: ["data:/data"]
volumes: {data: {}}
secrets: {token: {environment: DATABASE_PASSWORD}}
"""


def phone_args(name: str = "phone-1", **changes: Any) -> PhoneArgs:
    args = PhoneArgs(
        host=Host(name=name, host="127.0.0.1", port=2201, user="cloudlet", key_file="~/.ssh/id"),
        address="10.0.0.1",
        password=pulumi.Output.secret(PASSWORD),
        private_key=pulumi.Output.secret("PRIVATE KEY"),
        docker_config={"log-driver": "local"},
        routing="host",
        wifi=Wifi(ssid="cloudlet", password=WIFI_PASSWORD, forget=("ut-public",)),
    )
    return replace(args, **changes)


def lab(routing: str = "host") -> Recorder:
    """Two managers, a worker and one stack."""

    def program() -> None:
        phones = {name: Phone(name, phone_args(name)) for name in ("one", "two", "three")}
        roles = {"one": "manager", "two": "manager", "three": "worker"}
        members = {
            name: Member(phone=made, role=roles[name], labels={"shelf": "top"})
            for name, made in phones.items()
        }
        swarm = Swarm("swarm", SwarmArgs(members=members, settings=SETTINGS))
        spec = compose.load(
            STACK,
            source="stack.yml",
            stack="shop",
            variables={"DATABASE_PASSWORD": DATABASE_PASSWORD},
            read=lambda path: path,
        )
        Stack(
            "shop",
            StackArgs(
                spec=routed(spec, routing, "one"),
                swarm=swarm,
                docker_provider=provider("entry", access=swarm.access, after=swarm),
                secret_values=frozenset({DATABASE_PASSWORD}),
                lock={"example/db:1": LOCKED},
            ),
        )

    return run(program)[0]


@pytest.fixture(scope="module")
def made() -> Recorder:
    return lab()


def test_a_phone_is_contacted_then_put_on_wifi_then_given_docker(made: Recorder) -> None:
    names = {item.name for item in made.made if item.name.startswith("one")}
    assert names == {
        "one",
        "one-contact",
        "one-docker-config",
        "one-wifi",
        "one-wifi-joined",
        "one-engine",
        "one-network",
        "one-preflight",
        "one-facts",
        "one-condition",
    }


def test_a_docker_that_is_restarted_does_not_lose_its_network_meanwhile(made: Recorder) -> None:
    names = [item.name for item in made.made]
    steps = ["one-contact", "one-wifi", "one-wifi-joined", "one-docker-config", "one-engine"]
    assert [name for name in names if name in steps] == steps


def test_without_wifi_in_the_configuration_wifi_is_left_alone() -> None:
    recorder, _ = run(lambda: Phone("one", phone_args(wifi=None)))
    assert "one-wifi" not in {item.name for item in recorder.made}
    assert "wifi" not in recorder.one("one-condition").inputs


def test_every_command_pins_the_host_key_and_replays_no_output(made: Recorder) -> None:
    commands = made.of("Command")
    assert len(commands) == 12
    for command in commands:
        assert command.inputs["connection"]["hostKey"] == HOST_KEY
        assert command.inputs["addPreviousOutputInEnv"] is False


def test_no_secret_stands_in_a_command_line(made: Recorder) -> None:
    lines = [command.inputs["create"] for command in made.of("Command")]
    for secret in (PASSWORD, WIFI_PASSWORD, DATABASE_PASSWORD, "PRIVATE KEY"):
        assert not any(secret in line for line in lines)


def test_whatever_holds_a_secret_is_marked_secret(made: Recorder) -> None:
    for item in made.made:
        for key, value in item.inputs.items():
            if any(secret in str(value) for secret in (PASSWORD, WIFI_PASSWORD, DATABASE_PASSWORD)):
                assert key in item.secret, f"{item.name} has a secret in its {key}"
    assert {"taskSpec", "labels"} <= made.one("shop-web").secret
    assert "taskSpec" not in made.one("shop-db").secret
    assert "stdin" in made.one("one-wifi").secret
    assert "password" in made.one("one-wifi-joined").secret
    assert {"password", "wifi_password"} <= made.one("one-condition").secret


def test_a_command_line_says_what_the_script_is_given(made: Recorder) -> None:
    line = made.one("one-network").inputs["create"]
    assert line.endswith("sh -s -- one 10.0.0.1 4789")


def test_a_phones_condition_is_said_in_words_that_a_plan_can_show(made: Recorder) -> None:
    condition = made.one("one-condition").inputs
    assert condition["wifi"] == "cloudlet, priority 100"
    assert condition["docker"] == "running"
    assert condition["daemon_json"] == {"log-driver": "local"}


def test_each_phone_has_one_membership_with_its_labels(made: Recorder) -> None:
    memberships = {item.name: item.inputs for item in made.of("Membership")}
    assert set(memberships) == {"swarm-one", "swarm-two", "swarm-three"}
    assert memberships["swarm-three"]["role"] == "worker"
    assert memberships["swarm-three"]["labels"] == {
        "shelf": "top",
        "cloudlet.phone": "three",
        "cloudlet.arch": "aarch64",
    }


def test_the_swarm_is_spoken_to_through_every_manager_then_the_other_phones(made: Recorder) -> None:
    names = [manager["name"] for manager in made.one("swarm-three").inputs["managers"]]
    assert names == ["one", "two", "three"]


def test_docker_is_reached_through_whichever_manager_answers(made: Recorder) -> None:
    inputs = made.one("entry").inputs
    assert inputs["host"] == "ssh://cloudlet@127.0.0.1:2201"
    options = json.loads(inputs["sshOpts"])
    (proxy,) = [option for option in options if option.startswith("ProxyCommand=")]
    place = f"127.0.0.1,2201,{HOST_KEY.split()[1]}"
    assert shlex.split(proxy.removeprefix("ProxyCommand=")) == [
        *("python3", "-IS", "components/dial.py", "swarm-init-id", "cloudlet", "~/.ssh/id"),
        *(place, place, place),
    ]


def test_join_tokens_are_secret() -> None:
    def program() -> pulumi.Output[bool]:
        phone = Phone("one", phone_args())
        member = Member(phone=phone, role="manager", labels={})
        swarm = Swarm("swarm", SwarmArgs(members={"one": member}, settings=SETTINGS))

        async def secret() -> bool:
            return await swarm.worker_token.is_secret() and await swarm.manager_token.is_secret()

        return pulumi.Output.from_input(secret())

    seen: list[bool] = []
    run(lambda: program().apply(seen.append))
    assert seen == [True]


def test_a_service_is_given_its_image_by_digest(made: Recorder) -> None:
    container = made.one("shop-web").inputs["taskSpec"]["containerSpec"]
    assert container["image"] == f"example/web:1@sha256:{'0' * 64}"


def test_a_service_is_named_and_labelled_as_docker_stack_deploy_does(made: Recorder) -> None:
    web = made.one("shop-web").inputs
    labels = {item["label"]: item["value"] for item in web["labels"]}
    assert web["name"] == "shop_web"
    assert labels["com.docker.stack.namespace"] == "shop"


def test_every_service_has_a_companion_that_waits_for_it(made: Recorder) -> None:
    assert [item.name for item in made.of("Rollout")] == ["shop-db-rollout", "shop-web-rollout"]
    assert made.one("shop-web-rollout").inputs["service_id"] == "shop-web-id"


def test_every_child_has_a_parent(made: Recorder) -> None:
    for item in made.made:
        if not item.type.startswith(("cloudlet:index:", "pulumi:")):
            assert item.name.split("-")[0] in {"one", "two", "three", "swarm", "shop"}


def test_host_routing_publishes_on_the_entry_phone_alone(made: Recorder) -> None:
    web = made.one("shop-web").inputs
    assert web["endpointSpec"]["mode"] == "dnsrr"
    assert web["endpointSpec"]["ports"][0]["publishMode"] == "host"
    assert web["taskSpec"]["placement"]["constraints"] == ["node.labels.cloudlet.phone == one"]


def test_mesh_routing_leaves_the_file_as_it_is() -> None:
    web = lab("mesh").one("shop-web").inputs
    assert web["endpointSpec"]["ports"][0]["publishMode"] == "ingress"
    assert web["taskSpec"]["placement"]["constraints"] == []


def spec(text: str) -> compose.StackSpec:
    return compose.load(text, source="s.yml", stack="s", variables={}, read=lambda path: path)


def test_services_come_after_those_they_depend_on() -> None:
    services = spec(
        "services:\n"
        "  a: {image: x, depends_on: [b, c]}\n"
        "  b: {image: x, depends_on: [c]}\n"
        "  c: {image: x}\n"
    ).services
    assert [service.name for service in in_order(services)] == ["c", "b", "a"]


def test_a_secrets_name_changes_with_its_content_and_does_not_hold_it() -> None:
    one = compose.Content(name="s_token", data=b"one")
    names = {fingerprint(one), fingerprint(replace(one, data=b"two"))}
    assert len(names) == 2
    assert all(re.fullmatch("[0-9a-f]{8}", name) for name in names)


def test_scaling_alone_does_not_count_as_a_new_spec() -> None:
    (service,) = spec("services: {a: {image: x}}").services.values()
    digest = spec_digest(service, [])
    assert spec_digest(replace(service, replicas=9), []) == digest
    assert spec_digest(replace(service, image="y"), []) != digest
    assert spec_digest(service, ["s_token-1"]) != digest


def test_a_global_service_with_ports_stays_on_every_phone() -> None:
    given = spec("services: {a: {image: x, ports: ['80:80'], deploy: {mode: global}}}")
    (service,) = routed(given, "host", "one").services.values()
    assert service.placement.constraints == ()
