"""What `up` and `down` do to a machine, seen in the docker commands that they run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab import kinds, lifecycle, machine_images, registry, ssh
from lab.engine import Engine
from lab.errors import LabError
from lab.lifecycle import Lifecycle
from lab.names import Lab
from lab.system import Completed
from tests.unit.lab_machine import Machine

LAB = Lab(name="unit")
READS = {"info", "ps", "ls", "inspect"}


class Host(Machine):
    """A machine with a Docker engine. `containers` maps names to (running, image)."""

    def __init__(self, containers: dict[str, tuple[bool, str]], networks: dict[str, str]) -> None:
        super().__init__(programs={"docker"}, answer=self.docker)
        self.containers = containers
        self.networks = networks
        self.refused = ""
        self.boots = 1
        # As the label holds it, by container.
        self.kinds: dict[str, str] = {}

    def docker(self, command: Sequence[str]) -> Completed | None:
        words = list(command[1:])
        if words[0] == "info":
            return Completed(code=0, out="26\n")
        if words[0] == "ps":
            return Completed(code=0, out="\n".join(self._rows(words)))
        if words[:2] == ["network", "ls"] and "--quiet" not in words:
            return Completed(code=0, out=" ".join(self.networks))
        if words[:2] == ["network", "inspect"]:
            nets = [
                {"Name": name, "IPAM": {"Config": [{"Subnet": subnet}]}}
                for name, subnet in self.networks.items()
            ]
            return Completed(code=0, out=json.dumps(nets))
        if words[:2] == ["image", "ls"]:
            return Completed(code=0, out="cloudlet-lab/phone:1 cloudlet-lab/phone:<none>")
        if words[0] == "inspect":
            return Completed(code=0, out=f"boot {self.boots}")
        if words[0] == "exec" and words[-1] == "reboot":
            self.boots += 1
        if words[0] == "rm":
            del self.containers[words[-1]]
        if words[0] == "run" and self.refused and self.refused in words:
            return Completed(code=125, error="docker: Error response from daemon: invalid CapDrop")
        return None

    def _rows(self, words: Sequence[str]) -> list[str]:
        mine = f"--filter=label=cloudlet.lab={LAB.name}" in words
        return [
            json.dumps(
                {
                    "Names": name,
                    "Image": image,
                    "State": "running" if running else "exited",
                    "Status": "",
                    "Labels": f"cloudlet.kind={self.kinds.get(name, 'sudo')},cloudlet.lab=unit",
                }
            )
            for name, (running, image) in self.containers.items()
            if name.startswith("cloudlet-unit-") or not mine
        ]

    @property
    def changes(self) -> list[list[str]]:
        """The docker commands, without docker, that were not just looking."""
        commands = [command[1:] for command in self.commands]
        return [each for each in commands if not READS & set(each[:2])]


@pytest.fixture(autouse=True)
def nothing_but_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def quick(*_: object) -> bool:
        return True

    def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(lifecycle, "STATE", tmp_path)
    monkeypatch.setattr(ssh, "answers", quick)
    monkeypatch.setattr(registry, "fill", nothing)
    monkeypatch.setattr(machine_images, "ensure_phone", lambda *_: machine_images.phone_tag())


def lab(host: Host, tmp_path: Path, said: list[str] | None = None) -> Lifecycle:
    log = (said if said is not None else []).append
    engine = Engine(log=log, system=host, folder=tmp_path / "engine")
    return Lifecycle(lab=LAB, engine=engine, log=log)


def running(count: int, image: str | None = None) -> dict[str, tuple[bool, str]]:
    tag = image or machine_images.phone_tag()
    phones = {phone.container: (True, tag) for phone in LAB.phones(count)}
    return phones | {LAB.registry: (True, machine_images.registry_tag())}


def test_up_of_a_lab_that_is_up_only_looks(tmp_path: Path) -> None:
    host = Host(running(4), {LAB.network: LAB.subnet})
    said: list[str] = []
    lab(host, tmp_path, said).up(4)
    assert host.changes == []
    assert said == ["lab unit was up already: 4 phones"]


def test_up_starts_a_phone_that_was_off_and_leaves_the_others(tmp_path: Path) -> None:
    containers = running(4)
    containers[LAB.phone(2).container] = (False, machine_images.phone_tag())
    host = Host(containers, {LAB.network: LAB.subnet})
    lab(host, tmp_path).up(4)
    assert host.changes == [["start", LAB.phone(2).container]]


def test_up_makes_only_the_phones_that_are_missing(tmp_path: Path) -> None:
    host = Host(running(2), {LAB.network: LAB.subnet})
    lab(host, tmp_path).up(3)
    made = [each for each in host.changes if each[0] == "run" and "--rm" not in each]
    assert [name for each in made for name in each if name.startswith("--name=")] == [
        f"--name={LAB.phone(3).container}"
    ]


def test_a_phone_is_made_of_the_kind_that_is_asked_for(tmp_path: Path) -> None:
    host = Host(running(1), {LAB.network: LAB.subnet})
    lab(host, tmp_path).up(3, {"phone-2": kinds.parse("doas,firewall")})
    made = {each[-3:][0]: each for each in host.changes if each[0] == "run" and "--rm" not in each}
    assert made["/usr/local/sbin/phone-init"][-2:] == ["doas", "firewall"]
    assert "--label=cloudlet.kind=doas+firewall" in made["/usr/local/sbin/phone-init"]
    assert made[machine_images.phone_tag()][-1] == "sudo"


def test_a_phone_that_is_there_keeps_its_kind(tmp_path: Path) -> None:
    host = Host(running(2), {LAB.network: LAB.subnet})
    host.kinds[LAB.phone(2).container] = "doas+firewall"
    lab(host, tmp_path).up(2)
    lab(host, tmp_path).up(2, {"phone-2": kinds.parse("firewall,doas")})
    assert host.changes == []
    with pytest.raises(LabError, match=r"phone-2 is of the kind doas,firewall, .* --kind sudo-rs"):
        lab(host, tmp_path).up(2, {"phone-2": kinds.parse("sudo-rs")})


def test_a_kind_for_a_phone_that_the_lab_will_not_have_is_a_mistake(tmp_path: Path) -> None:
    host = Host({}, {})
    with pytest.raises(LabError, match="--kind phone-5: the lab is to have 4 phones only"):
        lab(host, tmp_path).up(4, {"phone-5": kinds.parse("doas")})
    assert host.commands == []


@pytest.mark.parametrize(("asked", "got"), [(None, ["doas"]), ("firewall", ["sudo", "firewall"])])
def test_a_replaced_phone_is_of_the_old_ones_kind_unless_told(
    tmp_path: Path, asked: str | None, got: list[str]
) -> None:
    host = Host(running(2), {LAB.network: LAB.subnet})
    host.kinds[LAB.phone(2).container] = "doas"
    lab(host, tmp_path).replace("phone-2", kinds.parse(asked) if asked else None)
    made = host.changes[-1]
    assert made[made.index("/usr/local/sbin/phone-init") + 1 :] == got


def test_a_phone_from_an_older_image_is_reported_and_left(tmp_path: Path) -> None:
    host = Host(running(2, "cloudlet-lab/phone:old"), {LAB.network: LAB.subnet})
    said: list[str] = []
    lab(host, tmp_path, said).up(2)
    assert host.changes == []
    assert any("phone-1 was made from an older image" in line for line in said)
    assert any("replace phone-2" in line for line in said)


def test_an_engine_that_refuses_to_drop_a_capability_is_not_asked_to(tmp_path: Path) -> None:
    host = Host(running(1), {LAB.network: LAB.subnet})
    host.refused = "--cap-drop=SYS_RESOURCE"
    lab(host, tmp_path).up(2)
    (made,) = [each for each in host.changes if each[0] == "run" and "--rm" not in each]
    assert "--cap-add=ALL" in made
    assert "--cap-drop=SYS_RESOURCE" not in made


def test_an_engine_that_can_run_no_phone_says_why_before_any_is_made(tmp_path: Path) -> None:
    host = Host(running(1), {LAB.network: LAB.subnet})
    host.refused = "--cap-add=ALL"
    with pytest.raises(LabError, match="can't run a simulated phone: invalid CapDrop"):
        lab(host, tmp_path).up(2)
    assert all("--rm" in each for each in host.changes if each[0] == "run")


def test_a_network_in_the_way_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    host = Host({}, {"bridge": "172.17.0.0/16", "other": "10.213.0.0/16"})
    with pytest.raises(LabError, match="the Docker network other has addresses"):
        lab(host, tmp_path).up(1)
    assert host.changes == []


def test_down_leaves_the_images_while_another_lab_uses_them(tmp_path: Path) -> None:
    host = Host(running(1) | {"cloudlet-other-phone-1": (True, "x")}, {})
    lab(host, tmp_path).down(keep_images=False)
    assert not host.ran("rmi")
    assert list(host.containers) == ["cloudlet-other-phone-1"]


def test_down_of_the_last_lab_removes_its_images_unless_they_are_to_be_kept(tmp_path: Path) -> None:
    host = Host(running(1), {})
    lab(host, tmp_path).down(keep_images=True)
    assert not host.ran("rmi")
    lab(host, tmp_path).down(keep_images=False)
    assert host.changes[-1] == ["rmi", "--force", "cloudlet-lab/phone:1"]


def test_down_stops_an_engine_that_the_lab_started_unless_others_use_it(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.mkdir()
    (engine / "started.json").write_text('{"how": "process"}')
    host = Host(running(1) | {"shop": (True, "x")}, {})
    said: list[str] = []
    lab(host, tmp_path, said).down(keep_images=True)
    assert engine.exists()
    assert "goes on" in said[-1]
    del host.containers["shop"]
    lab(host, tmp_path, said).down(keep_images=True)
    assert not engine.exists()


def test_down_without_any_engine_is_no_error(tmp_path: Path) -> None:
    host = Host({}, {})
    host.programs = set()
    lab(host, tmp_path).down(keep_images=False)
    assert host.commands == []


def test_replace_removes_machine_and_disk_and_makes_both_anew(tmp_path: Path) -> None:
    host = Host(running(2), {LAB.network: LAB.subnet})
    lab(host, tmp_path).replace("phone-2")
    phone = LAB.phone(2)
    verbs = [each[:2] for each in host.changes]
    assert ["volume", "rm"] in verbs
    assert ["volume", "create"] in verbs
    assert f"--name={phone.container}" in host.changes[-1]
    assert f"--ip={phone.address}" in host.changes[-1]


def test_a_reboot_is_done_on_the_phone_itself(tmp_path: Path) -> None:
    host = Host(running(2), {LAB.network: LAB.subnet})
    lab(host, tmp_path).reboot("phone-2")
    assert host.changes == [["exec", LAB.phone(2).container, "reboot"]]
    assert host.boots == 2


def test_a_phone_that_is_off_can_not_be_rebooted(tmp_path: Path) -> None:
    containers = running(2) | {LAB.phone(2).container: (False, machine_images.phone_tag())}
    with pytest.raises(LabError, match=r"phone-2 is off: .* start phone-2"):
        lab(Host(containers, {LAB.network: LAB.subnet}), tmp_path).reboot("phone-2")


def test_a_phone_that_the_lab_does_not_have_can_not_be_stopped(tmp_path: Path) -> None:
    host = Host(running(2), {LAB.network: LAB.subnet})
    with pytest.raises(LabError, match="lab unit has no phone-3"):
        lab(host, tmp_path).stop("phone-3")
