"""Stacks: what docker stack deploy makes of a file, planned, changed in small steps, undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stackkit
from labkit import Lab, Run, wait_for
from parity import REASONS, differences
from stackkit import tasks_of
from tiny_images import TinyImages

# Between them they have most keys; the others take minutes.
FEW = ("external", "traefik", "web_shop")
REST = sorted(stackkit.corpus().keys() - set(FEW))
BATCHES = [REST[start : start + 7] for start in range(0, len(REST), 7)]


@pytest.fixture(scope="module")
def tiny() -> TinyImages:
    return stackkit.tiny_images()


@pytest.fixture(scope="module")
def swarm(lab: Lab, tiny: TinyImages) -> Iterator[Lab]:
    """A swarm without stacks, whose ports go through Swarm's mesh as docker stack deploy has it."""
    stackkit.push_images(tiny, stackkit.corpus())
    stackkit.say_that_ip_vs_is_there(lab)
    lab.configure(stacks={}, routing="mesh")
    lab.up().ok()
    stackkit.make_what_is_external(lab)
    yield lab
    lab.configure()
    lab.destroy().ok()


def check(lab: Lab, names: list[str]) -> set[str]:
    """Deploys stacks by Docker and as ours; the reasons for which they may differ that were met.

    A second `up` plans what a preview would.
    """
    if stackkit.left_behind(lab):
        # The stacks of the batch before.
        lab.configure(stacks={}, routing="mesh")
        lab.up().ok()
        assert wait_for(lambda: not stackkit.left_behind(lab), 20), stackkit.left_behind(lab)
    theirs = stackkit.deployed_by_docker(lab, names)
    lab.configure(stacks=stackkit.configured(names), routing="mesh")
    lab.up().ok()
    found = differences(theirs, stackkit.inspected(lab))
    assert theirs
    assert [str(each) for each in found if each.explained is None] == []
    before = lab.tasks()
    assert before
    lab.pulumi("refresh", "--yes", "--expect-no-changes").ok()
    lab.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes").ok()
    assert lab.tasks() == before
    return {each.explained.why for each in found if each.explained}


def test_a_few_real_stacks_are_what_docker_stack_deploy_makes_of_them_and_plan_nothing_more(
    swarm: Lab,
) -> None:
    check(swarm, list(FEW))


@pytest.mark.slow
@pytest.mark.parametrize("names", BATCHES, ids=lambda names: f"{names[0]}-{names[-1]}")
def test_the_corpus_is_what_docker_stack_deploy_makes_of_it_and_plans_nothing_more(
    swarm: Lab, names: list[str]
) -> None:
    assert check(swarm, names) <= {reason.why for reason in REASONS}


# Small changes

STACK = """
services:
  none:
    image: shop/plain:1
    ports: ["36000:8080"]
    deploy: {replicas: 2}
  one:
    image: shop/plain:1
    environment: {COLOUR: blue}
    secrets: [token]
    configs: [page]
    deploy: {replicas: 2}
  ten:
    image: shop/plain:1
    environment: {A: 1, B: 2, C: 3, D: 4, E: 5, F: 6, G: 7, H: 8, I: 9, VERSION: "1"}
    deploy: {replicas: 2, update_config: {order: start-first}}
secrets: {token: {file: token}}
configs: {page: {file: page}}
"""
SERVICES = ("none", "one", "ten")


class Changing:
    """A stack whose file is edited from one `up` to the next."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self._folder = folder
        self.text = STACK
        self.write("token", "first")
        self.write("page", "first")

    def write(self, name: str, content: str) -> None:
        (self._folder / name).write_text(content)

    def edit(self, service: str, old: str, new: str) -> None:
        """Replaces a text in one service."""
        head, mark, rest = self.text.partition(f"\n  {service}:")
        assert old in rest, (service, old)
        self.text = head + mark + rest.replace(old, new, 1)

    def up(self, *options: str) -> Run:
        self.write("changing.yml", self.text)
        stacks = {"changing": {"file": str(self._folder / "changing.yml")}}
        self.lab.configure(stacks=stacks, routing="mesh")
        return self.lab.pulumi("up", "--yes", "--skip-preview", *options)

    def tasks(self) -> dict[str, list[str]]:
        return {name: tasks_of(self.lab, f"changing_{name}") for name in SERVICES}

    def only(self, service: str, before: dict[str, list[str]]) -> list[str]:
        """The tasks of ``service`` now; all others must run on as they did."""
        now = self.tasks()
        assert now | {service: []} == before | {service: []}
        return now[service]


@pytest.fixture(scope="module")
def changing(swarm: Lab, tmp_path_factory: pytest.TempPathFactory) -> Changing:
    made = Changing(swarm, tmp_path_factory.mktemp("changing"))
    made.up().ok()
    return made


def test_stacks_that_are_taken_out_leave_nothing_on_any_phone(changing: Changing) -> None:
    """Those before it; what is external to them stays."""

    def left() -> dict[str, set[str]]:
        return stackkit.left_behind(changing.lab, but="changing")

    # A phone takes a container away some moments after its task has ended.
    assert wait_for(lambda: not left(), 20), left()
    assert "outside-too" in changing.lab.on("phone-1", "docker network ls")


@pytest.mark.parametrize(
    "service", ["ten", *(pytest.param(name, marks=pytest.mark.slow) for name in ("none", "one"))]
)
def test_scaling_restarts_no_task_and_is_one_change(changing: Changing, service: str) -> None:
    before = changing.tasks()
    changing.edit(service, "replicas: 2", "replicas: 3")
    done = changing.up().ok()
    assert set(before[service]) < set(changing.only(service, before))
    assert "~ 1 updated" in done.output


def test_a_new_value_rolls_only_its_service_and_keeps_it_scaled(changing: Changing) -> None:
    changing.edit("ten", "I: 9", "I: 10")
    before = changing.tasks()
    changing.up().ok()
    after = changing.only("ten", before)
    assert len(after) == len(before["ten"])
    assert not set(after) & set(before["ten"])


@pytest.mark.slow
def test_a_new_secret_rolls_its_user_alone_and_the_old_one_is_gone(changing: Changing) -> None:
    before = changing.tasks()
    changing.write("token", "second")
    changing.up().ok()
    assert not set(changing.only("one", before)) & set(before["one"])
    listed = changing.lab.on("phone-1", "docker secret ls --format '{{.Name}}'")
    assert listed.count("changing_token-") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "old", "new"),
    [
        ("none", "shop/plain:1", "shop/plain:2"),
        ("none", "36000:8080", "36001:8080"),
        ("one", "COLOUR: blue", "COLOUR: red"),
        ("ten", "deploy: {", "deploy: {placement: {constraints: [node.role == manager]}, "),
    ],
)
def test_a_small_change_touches_only_the_named_service(
    changing: Changing, service: str, old: str, new: str
) -> None:
    before = changing.tasks()
    changing.edit(service, old, new)
    changing.up().ok()
    changing.only(service, before)
    inspected = stackkit.inspected(changing.lab)["service", f"changing_{service}"]
    assert {"36001:8080": "36001", "shop/plain:2": "shop/plain:2", "COLOUR: red": "COLOUR=red"}.get(
        new, "node.role == manager"
    ) in str(inspected)


@pytest.mark.slow
def test_a_new_config_rolls_its_user_alone(changing: Changing) -> None:
    before = changing.tasks()
    changing.write("page", "second")
    changing.up().ok()
    assert not set(changing.only("one", before)) & set(before["one"])


@pytest.mark.slow
def test_after_all_changes_a_refresh_finds_nothing(changing: Changing) -> None:
    changing.lab.pulumi("preview", "--refresh", "--expect-no-changes").ok()


# What goes wrong


def test_an_update_that_fails_is_told_with_its_log_and_taken_back(changing: Changing) -> None:
    before = changing.tasks()
    changing.edit("ten", 'VERSION: "1"', 'VERSION: "2", FAIL: no database')
    done = changing.up()
    assert done.status != 0
    assert "changing_ten: " in done.output
    assert "tasks run the new version; " in done.output
    assert "task: non-zero exit (3)" in done.output
    assert "idle fails: no database" in done.output
    assert "what ran before runs again" in done.output
    assert "Traceback" not in done.output
    assert wait_for(lambda: len(changing.only("ten", before)) == len(before["ten"]), 30)
    changing.edit("ten", ", FAIL: no database", "")
    changing.up().ok()
    assert "VERSION=2" in changing.lab.on("phone-1", "docker service inspect changing_ten")


@pytest.mark.slow
def test_what_was_rolled_back_is_tried_again_by_an_up_with_refresh(changing: Changing) -> None:
    changing.edit("ten", "H: 8", "H: 8, FAIL: gone tomorrow")
    assert changing.up().status != 0
    again = changing.up()
    assert again.status != 0
    assert "the update failed and was rolled back" in again.output
    again = changing.up("--refresh")
    assert again.status != 0
    assert "idle fails: gone tomorrow" in again.output
    changing.edit("ten", ", FAIL: gone tomorrow", "")
    changing.up("--refresh").ok()
    changing.lab.pulumi("preview", "--refresh", "--expect-no-changes").ok()


def refused(lab: Lab, folder: Path, text: str) -> str:
    """What `up` says of a stack that cannot be, none of which may have been made."""
    (folder / "wrong.yml").write_text(text)
    lab.configure(stacks={"wrong": {"file": str(folder / "wrong.yml")}}, routing="mesh")
    done = lab.up()
    assert done.status != 0
    assert "Traceback" not in done.output
    made = "docker service ls -q -f name=wrong_; docker network ls -q -f name=wrong_"
    assert lab.on("phone-1", made) == ""
    return done.output


def test_what_cannot_run_or_is_not_there_is_told_before_anything_of_the_stack_is_made(
    swarm: Lab, tiny: TinyImages, tmp_path: Path
) -> None:
    tiny.push("shop/old:1", architecture="arm")
    told = refused(swarm, tmp_path, "services: {web: {image: 'shop/old:1'}}")
    assert "services.web: image shop/old:1 exists for linux/arm only" in told
    assert "phone-1 (x86_64)" in told or "phone-1 (aarch64)" in told
    told = refused(
        swarm,
        tmp_path,
        "services: {web: {image: 'shop/plain:1', networks: [n], secrets: [s]}}\n"
        "networks: {n: {external: true, name: nowhere}}\n"
        "secrets: {s: {external: true, name: nothing}}\n",
    )
    assert "stacks.wrong: networks.n is external, and the swarm has no network called" in told


# Under load

ASKED = """
services:
  web:
    image: shop/web:1
    healthcheck: {test: [CMD, /idle, health], interval: 1s, retries: 3, start_period: 10s}
    deploy:
      replicas: 2
      endpoint_mode: dnsrr
      update_config: {order: start-first}
  asker:
    image: shop/web:1
    environment: {ASK: "http://web:8080/"}
    depends_on: [web]
"""


@pytest.mark.slow
def test_an_image_update_of_two_replicas_is_hardly_noticed_by_who_asks_them(
    swarm: Lab, tiny: TinyImages, tmp_path: Path
) -> None:
    """As ``routing: host`` has it: the name resolves to tasks, and no virtual address helps."""

    def counts() -> tuple[int, int]:
        lines = swarm.on("phone-1", "docker service logs --raw --tail 200 asked_asker 2>&1")
        told = [line.split() for line in lines.splitlines() if line.startswith("asked ")]
        return (int(told[-1][1]), int(told[-1][3])) if told else (0, 0)

    tiny.push("shop/web:1", {"VERSION": "1"})
    tiny.push("shop/web:2", {"VERSION": "2"})
    for image in ("shop/web:1", "shop/web:2"):
        text = ASKED.replace("shop/web:1", image, 1)
        (tmp_path / "asked.yml").write_text(text)
        swarm.configure(stacks={"asked": {"file": str(tmp_path / "asked.yml")}}, routing="mesh")
        swarm.up().ok()
        assert wait_for(lambda: counts()[0] > 100, 60)
    before = counts()
    assert wait_for(lambda: counts()[0] > before[0] + 200, 60)
    asked, failed = counts()
    print(f"{failed} of {asked} requests failed over an update of both replicas")
    # A name that was looked up a moment before its task went is asked in vain; the next one is not.
    assert failed <= asked * 0.05
