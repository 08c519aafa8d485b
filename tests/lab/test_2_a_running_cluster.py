"""From bare phones to a cluster with two stacks, and back: one life of a lab, in order."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path

import pytest
import recipes
from labkit import LOOPBACK, PHONES, Lab, Run, command_lines, http, wait_for
from phonekit import docker_inventory, snapshot, started_at_boot

SECRETS = ("my-secure-password", "coffee-for-everyone", "postgres-for-coffee")


@pytest.fixture(scope="module")
def first_up(lab: Lab, as_found: dict[str, dict[str, str]]) -> tuple[Run, set[str]]:
    """The first `up`, and every command line seen while it ran, on the phones too."""
    assert as_found.keys() == set(PHONES)
    with command_lines() as seen:
        done = lab.up()
    return done, seen


@pytest.fixture(scope="module")
def cluster(lab: Lab, first_up: tuple[Run, set[str]]) -> Lab:
    first_up[0].ok()
    return lab


@pytest.mark.parametrize("phone", PHONES)
def test_a_phone_is_on_the_labs_wifi_and_forgot_the_other(cluster: Lab, phone: str) -> None:
    active = cluster.on(phone, "nmcli -t -f NAME,DEVICE connection show --active").split()
    known = cluster.on(phone, "nmcli -t -f NAME,AUTOCONNECT-PRIORITY connection show").split()
    assert "cloudlet:wlan0" in active
    assert "cloudlet:100" in known
    assert not any(line.startswith("ut-public") for line in known)


@pytest.mark.parametrize("phone", PHONES)
def test_docker_runs_and_will_run_after_a_reboot(cluster: Lab, phone: str) -> None:
    assert "docker" in started_at_boot(cluster, phone)
    assert cluster.on(phone, "docker info --format '{{.Swarm.LocalNodeState}}'").strip() == "active"


def test_every_phone_is_in_one_swarm_with_its_role(cluster: Lab) -> None:
    listed = cluster.on(
        "phone-1", "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'"
    )
    nodes = {line.split()[0]: line.split()[1:] for line in listed.splitlines()}
    assert nodes.keys() == set(PHONES)
    assert all(node[0] == "Ready" for node in nodes.values())
    assert {name for name, node in nodes.items() if len(node) == 2} == set(PHONES[:3])


def test_join_tokens_are_outputs_that_only_the_passphrase_opens(cluster: Lab) -> None:
    assert cluster.outputs()["workerJoinToken"] == "[secret]"
    tokens = cluster.outputs(secrets=True)
    assert tokens["workerJoinToken"].startswith("SWMTKN-")
    assert tokens["managerJoinToken"] != tokens["workerJoinToken"]


def test_every_service_of_both_stacks_runs(cluster: Lab) -> None:
    listed = cluster.on("phone-1", "docker service ls --format '{{.Name}} {{.Replicas}}'")
    running = dict(line.split(" ", 1) for line in listed.splitlines())
    assert running.pop("portainer_agent") == "4/4"
    coffee = ("postgres", "rabbitmq", "product", "counter", "barista", "kitchen", "proxy", "web")
    assert running == {"portainer_portainer": "1/1"} | {
        f"go_coffee_{name}": "1/1" for name in coffee
    }


def test_a_coffee_is_ordered_made_and_stands_fulfilled_in_the_database(cluster: Lab) -> None:
    member = str(uuid.uuid4())
    status, menu = http(5000, "/v1/api/item-types")
    assert status == 200
    assert {item["name"] for item in menu["itemTypes"]} >= {"CAPPUCCINO", "CROISSANT"}
    order = {
        "commandType": 0,
        "orderSource": 0,
        "location": 0,
        "loyaltyMemberId": member,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "baristaItems": [{"itemType": 0}],
        "kitchenItems": [{"itemType": 7}],
    }
    assert http(5000, "/v1/api/orders", order) == (200, {})

    def fulfilled() -> bool:
        orders = http(5000, "/v1/fulfillment-orders")[1]["orders"]
        return [o["orderStatus"] for o in orders if o["loyaltyMemberId"] == member] == [2]

    assert wait_for(fulfilled, 30)


def test_the_shops_page_points_the_browser_at_the_entry_address(cluster: Lab) -> None:
    assert http(8888, "/reverse-proxy-url") == (200, {"url": f"http://{LOOPBACK}:5000"})
    assert "<html" in http(8888, "/")[1]


def test_portainer_takes_the_configured_password_and_sees_the_cluster(cluster: Lab) -> None:
    login = {"Username": "admin", "Password": "coffee-for-everyone"}
    token = http(9000, "/api/auth", login)[1]["jwt"]
    endpoints = http(9000, "/api/endpoints", headers={"Authorization": f"Bearer {token}"})[1]
    assert [endpoint["Status"] for endpoint in endpoints] == [1]


def test_twenty_users_lose_nothing_and_leave_a_report(cluster: Lab, tmp_path: Path) -> None:
    load = ["--users=20", "--climb=5", "--time=10", f"--folder={tmp_path}"]
    printed = cluster.tool("load_test", "run", *load).ok().output
    figures = re.search(r"order +(\d+) requests, 0 failed", printed)
    assert figures is not None, printed
    assert f"{figures[1]} orders acknowledged, 0 lost" in printed
    assert "queued, 0 lost" in printed
    assert int(figures[1]) > 20
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    assert "phone-4" in (tmp_path / "report.html").read_text()


def test_a_second_preview_plans_nothing(cluster: Lab) -> None:
    cluster.pulumi("preview", "--expect-no-changes").ok()


def test_a_refresh_finds_nothing_changed(cluster: Lab) -> None:
    cluster.pulumi("preview", "--refresh", "--expect-no-changes").ok()


@pytest.mark.parametrize(("_title", "steps"), recipes.parameters(quick=True))
def test_what_the_recipes_tell_to_look_at_is_there(
    cluster: Lab, _title: str, steps: list[recipes.Step]
) -> None:
    runner = recipes.Runner(lab=cluster, stack="dev", file=cluster.config)
    for step in steps:
        runner.run(step)


def test_a_second_up_restarts_no_task(cluster: Lab) -> None:
    before = cluster.tasks()
    cluster.up().ok()
    assert cluster.tasks() == before


def test_no_secret_stands_in_the_state_or_in_anything_printed(cluster: Lab) -> None:
    tokens = cluster.outputs(secrets=True)
    state = cluster.export()
    for secret in (*SECRETS, tokens["workerJoinToken"], tokens["managerJoinToken"]):
        assert secret not in state
        assert secret not in cluster.output


def test_no_secret_stood_in_a_command_line(cluster: Lab, first_up: tuple[Run, set[str]]) -> None:
    tokens = cluster.outputs(secrets=True)
    seen = " ".join(first_up[1])
    assert "dial-stdio" in seen
    for secret in (*SECRETS, tokens["workerJoinToken"], tokens["managerJoinToken"]):
        assert secret not in seen


def test_nothing_of_ours_keeps_running_on_a_phone(cluster: Lab) -> None:
    def stray() -> str:
        return cluster.on(
            "phone-4", "ps -ef | grep -E 'dial-stdio|sh -s --' | grep -v grep || true"
        )

    # A connection of the run before may still be closing.
    assert wait_for(lambda: stray() == "", 20), stray()


def test_a_renamed_phone_stays_a_member_and_keeps_its_tasks(cluster: Lab) -> None:
    before = cluster.tasks()
    phones = cluster.value("phones")
    renamed = {("kitchen" if name == "phone-4" else name): phones[name] for name in phones}
    cluster.configure(phones=renamed)
    cluster.up().ok()
    cluster.pulumi("preview", "--refresh", "--expect-no-changes").ok()
    assert cluster.tasks() == before
    cluster.configure()
    cluster.up().ok()
    assert cluster.tasks() == before


def test_destroy_leaves_every_phone_as_it_was_found(
    cluster: Lab, as_found: dict[str, dict[str, str]]
) -> None:
    cluster.destroy().ok()
    assert {phone: snapshot(cluster, phone) for phone in PHONES} == {
        phone: {key: as_found[phone][key] for key in snapshot(cluster, phone)} for phone in PHONES
    }
    for phone in PHONES:
        inventory = docker_inventory(cluster, phone)
        assert inventory == {key: as_found[phone][key] for key in inventory}


def test_an_up_that_was_killed_goes_on_where_it_was(cluster: Lab) -> None:
    """Killed while the swarm forms, and again while the stacks come onto it."""
    cluster.configure(stacks=None, secrets=None)
    cluster.kill_up_when("Membership swarm-phone-2 creating")
    cluster.up().ok()
    cluster.pulumi("preview", "--expect-no-changes").ok()
    cluster.configure()
    cluster.kill_up_when("Service go_coffee-postgres creating")
    cluster.up().ok()
    cluster.pulumi("preview", "--expect-no-changes").ok()
    cluster.destroy().ok()
