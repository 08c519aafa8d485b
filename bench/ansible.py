"""The same cluster by Ansible, for comparison: the playbook beside this file, a fork a phone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from bench.cluster import ROOT, STACK_FILE, Cluster
from bench.measure import Measured, measure

VERSION = "ansible==12.*"
PLAYBOOK = Path(__file__).parent / "playbook.yml"
# As Ansible's own guide to tuning has it: one SSH connection a phone, kept, and fewer of them.
CONFIGURATION = """[defaults]
host_key_checking = False
forks = {forks}
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={known_hosts}
"""


def installed(folder: Path) -> Path:
    """``ansible-playbook`` in an environment of its own, installed where it is missing."""
    place = (folder / "ansible").resolve()
    program = place / "bin" / "ansible-playbook"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, VERSION], check=True)
    return program


def play(cluster: Cluster, program: Path, phones: int) -> Measured:
    """One run of the playbook; raises RuntimeError with what it printed where it fails."""
    configuration = cluster.folder / "ansible.cfg"
    configuration.write_text(CONFIGURATION.format(forks=phones, known_hosts=_known_hosts(cluster)))
    inventory = cluster.folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump(_inventory(cluster)))
    # By its own name, so that it finds what belongs to it.
    command = [str(program), "--inventory", str(inventory), str(PLAYBOOK)]
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(configuration),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = measure(command, ROOT, environment)
    if done.status != 0:
        raise RuntimeError(f"ansible-playbook failed:\n{done.output}")
    return done


def forget_host_keys(cluster: Cluster) -> None:
    """The next phones at the same addresses are others: `ssh` gives no password to a new key."""
    _known_hosts(cluster).unlink(missing_ok=True)


def changed(done: Measured) -> bool:
    """Whether the run changed anything on any phone, by its recap."""
    return any(int(count) for count in re.findall(r"\bchanged=(\d+)", done.output))


def _known_hosts(cluster: Cluster) -> Path:
    return cluster.folder / "known_hosts"


def _inventory(cluster: Cluster) -> dict[str, object]:
    config = yaml.safe_load(cluster.config.read_text())["config"]
    hosts: dict[str, dict[str, dict[str, object]]] = {"manager": {}, "worker": {}}
    for name, phone in config["cloudlet:phones"].items():
        hosts[phone["role"]][name] = {
            "ansible_host": phone["ssh"]["host"],
            "ansible_port": phone["ssh"]["port"],
            "address": phone["address"],
        }
    return {
        "all": {
            "children": {
                "managers": {"hosts": hosts["manager"]},
                "workers": {"hosts": hosts["worker"]},
            },
            "vars": {
                "ansible_user": config["cloudlet:ssh"]["user"],
                # The simulated phones' own, which the lab's documentation tells as well.
                "ansible_password": "1234",
                "ansible_become_password": "1234",
                "mirror": config["cloudlet:engine"]["registryMirror"],
                "key": (ROOT / f"{config['cloudlet:ssh']['privateKeyFile']}.pub").read_text(),
                "ssid": config["cloudlet:wifi"]["ssid"],
                "wifi_password": "my-secure-password",
                "stack_file": str(ROOT / STACK_FILE),
            },
        }
    }
