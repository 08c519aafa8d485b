"""What a person does to a lab besides `up`: look, drill, recover, adopt, back up, restore."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from labkit import BACKUP_PASSPHRASE, LOOPBACK, NAME, PHONES, Lab, command_lines, wait_for

from lab.names import Lab as LabNames

FIFTH_PORT = 2205


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("drill-reboot", "phone-9"), "has no phone 'phone-9'; it has phone-1, phone-2"),
        (("recover", "phone-1", "--yes"), "ssh.privateKeyFile: "),
        (("backup",), "No manager tells who is in the swarm"),
        (("restore", "README.md"), "README.md is no backup: it is not encrypted with age"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    empty: Lab, arguments: tuple[str, ...], sentence: str
) -> None:
    done = empty.operations(*arguments)
    assert done.status == 1
    assert sentence in done.output
    assert "Traceback" not in done.output


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[Lab]:
    """Three managers, a worker, and one stack."""
    lab.configure(stacks={"portainer": {"file": "stacks/portainer.yml"}})
    lab.up().ok()
    yield lab
    for phone in PHONES:
        lab.lab("start", phone)
    lab.destroy().ok()
    lab.configure()


def table(lab: Lab) -> dict[str, str]:
    """The lines of `make status` by phone, without the phone's name."""
    lines = (line.partition(" ") for line in lab.operations("status").ok().output.splitlines())
    return {name: rest.strip() for name, _, rest in lines if name.startswith("phone-")}


def settled(lab: Lab) -> None:
    """One `up`, and nothing is left to change; every service runs."""
    lab.up().ok()
    # What Swarm starts by itself on a phone that has just joined is no part of that `up`.
    assert wait_for(lambda: all_services_run(lab), 90)
    preview = lab.pulumi("preview", "--refresh").ok().output
    assert " unchanged" in preview, preview
    assert not any(f"{sign} " in preview.split("Resources:")[1] for sign in "+~-"), preview


def all_services_run(lab: Lab) -> bool:
    listed = lab.on("phone-1", "docker service ls --format '{{.Name}} {{.Replicas}}'")
    running = dict(line.split(" ", 1) for line in listed.splitlines())
    return len(running) == 2 and all(
        replicas.split("/")[0] == replicas.split("/")[1] for replicas in running.values()
    )


@pytest.mark.slow
def test_status_shows_every_phone_and_waits_for_none_for_long(cluster: Lab) -> None:
    well = table(cluster)
    assert well.keys() == set(PHONES)
    assert all("ready" in line and "87 %" in line and "29.6 °C" in line for line in well.values())
    cluster.lab("stop", "phone-4").ok()
    done = cluster.operations("status").ok()
    cluster.lab("start", "phone-4").ok()
    # What pulumi takes twice, and the bound.
    assert done.seconds < 14
    assert "phone-4  worker   no answer" in done.output
    assert "phone-4 does not answer at" in done.output


@pytest.mark.slow
@pytest.mark.parametrize("phone", ["phone-2", "phone-3"])
def test_a_rebooted_phone_is_back_by_itself(cluster: Lab, phone: str) -> None:
    done = cluster.operations("drill-reboot", phone).ok()
    assert f"{phone} was back in the swarm" in done.output


@pytest.mark.slow
def test_one_manager_goes_on_where_the_majority_is_lost(cluster: Lab) -> None:
    assert "the swarm has its majority" in cluster.operations("recover", "phone-1").output
    for phone in ("phone-2", "phone-3"):
        cluster.lab("stop", phone).ok()
    assert "YES=1" in cluster.operations("recover", "phone-1").output
    cluster.operations("recover", "phone-1", "--yes").ok()
    for phone in ("phone-2", "phone-3"):
        cluster.lab("start", phone).ok()
    assert wait_for(lambda: "down" not in str(table(cluster)), 90)
    settled(cluster)
    assert all(table(cluster)[phone].startswith("manager  ready") for phone in PHONES[:3])


@pytest.mark.slow
def test_a_phone_is_adopted_over_the_cable_and_the_files_comments_stay(cluster: Lab) -> None:
    cluster.lab("up", "5").ok()
    text = cluster.config.read_text()
    try:
        cluster.config.write_text(f"# The drawer in the kitchen.\n{text}")
        known = cluster.operations("adopt", "phone-5", "--cable", f"{LOOPBACK}:2202")
        assert "the phone on the cable is phone-2, not phone-5" in known.output
        cluster.operations("adopt", "phone-5", "--cable", f"{LOOPBACK}:{FIFTH_PORT}").ok()
        assert cluster.config.read_text().startswith("# The drawer in the kitchen.\n")
        adopted = cluster.value("phones")["phone-5"]
        assert adopted["address"] == LabNames(name=NAME).phone(5).address
        assert adopted["hostKey"].startswith("ssh-ed25519 ")
        settled(cluster)
        assert table(cluster)["phone-5"].startswith("worker   ready")
    finally:
        cluster.config.write_text(text)
        cluster.up().ok()


@pytest.mark.slow
def test_a_machine_that_takes_a_phones_place_is_adopted_and_made_a_member(cluster: Lab) -> None:
    cluster.lab("replace", "phone-2").ok()
    cable = ("--cable", f"{LOOPBACK}:2202")
    assert "YES=1" in cluster.operations("adopt", "phone-2", *cable).output
    cluster.operations("adopt", "phone-2", *cable, "--yes").ok()
    settled(cluster)


@pytest.mark.slow
def test_a_lab_comes_back_from_a_backup_onto_blank_phones(cluster: Lab, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with command_lines() as seen:
        cluster.operations("backup", "--file", str(file)).ok()
    assert not any(BACKUP_PASSPHRASE in line for line in seen)
    swarm = cluster.outputs()["swarmId"]
    text = cluster.config.read_text()
    for phone in PHONES:
        cluster.lab("replace", phone).ok()
    shutil.rmtree(cluster.folder / "state" / ".pulumi")
    cluster.config.unlink()
    assert "YES=1" in cluster.operations("restore", str(file)).output
    with command_lines() as seen:
        cluster.operations("restore", str(file), "--yes").ok()
    assert not any(BACKUP_PASSPHRASE in line for line in seen)
    settled(cluster)
    assert cluster.outputs()["swarmId"] == swarm
    assert cluster.config.read_text().count("hostKey") == text.count("hostKey")
    assert "the lab lives" in cluster.operations("restore", str(file), "--yes").output
