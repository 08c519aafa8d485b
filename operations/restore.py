"""A lab brought back from a backup: its file, Pulumi's state, and the swarm on one manager.

`up` does the rest: it makes replaced phones ready and all of them members again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from components.contact import first_contact
from components.dynamic import checked
from components.members.managers import cluster_id, delete_node, nodes_by_id, swarm_state
from components.remote import shell
from components.remote.engine_api import engine
from components.remote.ssh import AuthenticationError, Host, HostKeyError, PhoneError, connect

from . import archive, new_cluster, replaced, swarm_folder
from .archive import Backup
from .asking import confirm, passphrase
from .errors import OperationError
from .labs import Lab, open_lab
from .nodes import listed_by, parse
from .parallel import gather
from .pulumi_cli import PulumiStack

# More than it takes to give up a phone that is off.
LOOK_SECONDS = 20.0
# Docker itself waits 20 s for a leader.
SWARM_SECONDS = 45.0
CONTACT_SECONDS = 120.0
LEADERLESS = "no leader"
# Docker may have to be installed first.
ENGINE_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is to restore onto.

    ``shown`` are the host keys of the phones that answer, ``new_keys`` those of them that the
    backup does not know, ``silent`` the reasons of the phones that do not answer. ``alive`` is
    whether the backup's swarm still has a leader, ``known`` how many resources Pulumi's present
    state has.
    """

    shown: Mapping[str, str]
    new_keys: Mapping[str, str]
    silent: Mapping[str, str]
    alive: bool
    known: int


def restore(stack: PulumiStack, file: Path, tell: Callable[[str], None], *, yes: bool) -> None:
    """Brings the lab back as it was when ``file`` was written, after a question.

    Can be run again where it was interrupted.

    Raises:
        OperationError: it is a backup of another lab, the lab lives, or the answer was no.
        PhoneError: the phone that is to get the swarm cannot have it.
    """
    backup = archive.read(file, lambda: passphrase("of the backup"))
    if backup.stack != stack.name:
        raise OperationError(f"{file} is a backup of the lab {backup.stack}, not of {stack.name}")
    _restore_file(stack, backup, tell)
    lab = open_lab(stack)
    keys = replaced.host_keys(backup.state)
    lab = replace(lab, hosts={name: _known(host, keys) for name, host in lab.hosts.items()})
    target = lab.host(backup.phone)
    found = look(lab, backup)
    if target.name in found.silent and not found.alive:
        raise OperationError(f"{target.name} is to get the swarm: {found.silent[target.name]}")
    confirm(question(backup, found), yes=yes)
    state: dict[str, Any] = dict(backup.state)
    # What a phone was like then says nothing of it now: `up` looks at each as at a new one.
    for name, key in found.shown.items():
        state = replaced.take_over(state, name, key)
    if not found.alive:
        state = replaced.as_workers(state, found.silent)
    for name, key in found.new_keys.items():
        if lab.configured.phones[name].host_key not in (None, key):
            stack.set(f'cloudlet:phones["{name}"].hostKey', key)
    stack.replace_state(state)
    tell(f"Pulumi's state is that of {backup.day}")
    _let_in(lab, found, tell)
    if not found.alive:
        host = target.with_host_key(found.new_keys.get(target.name, target.host_key))
        _restore_swarm(lab, host, backup, tell)
        _remove_replaced(host, found.new_keys.keys() - {host.name}, tell)
    else:
        tell("reading the swarm, which may have changed since")
        stack.refresh()
    tell(
        f"Now run `make up STACK={stack.name}`: it makes the phones ready and members again. What "
        "volumes held is not in a backup"
    )


def look(lab: Lab, backup: Backup) -> Found:
    """How the lab is now; nothing is changed.

    Raises:
        OperationError: there is nothing to restore, or a better way than a backup.
    """
    answers = gather(
        {name: partial(_shown, host) for name, host in lab.hosts.items()}, LOOK_SECONDS
    )
    shown = {name: key for name, key in answers.items() if not isinstance(key, PhoneError)}
    silent = {
        name: str(answers.get(name, f"{name} accepted the connection and stays silent"))
        for name in lab.hosts
        if name not in shown
    }
    new_keys = {
        name: key for name, key in shown.items() if lab.hosts[name].host_key not in ("", key)
    }
    # The replaced ones too: since the backup they may have become members of a lab that lives.
    hosts = {name: lab.hosts[name].with_host_key(key) for name, key in shown.items()}
    swarms = gather({name: partial(_swarm_of, host) for name, host in hosts.items()}, SWARM_SECONDS)
    for name, swarm in swarms.items():
        if swarm == LEADERLESS:
            raise OperationError(
                f"{name} still manages a swarm, which has lost its majority. It is newer than the "
                f"backup: run `make recover PHONE={name} STACK={backup.stack}`, or "
                "`docker swarm leave --force` on it if the backup is what you want"
            )
    alive = backup.swarm_id in swarms.values()
    known = len(lab.stack.export()["deployment"].get("resources") or ())
    if alive and known:
        raise OperationError(
            "the lab lives: its swarm answers and Pulumi knows it, so nothing was restored; "
            f"see `make status STACK={backup.stack}`"
        )
    return Found(shown=shown, new_keys=new_keys, silent=silent, alive=alive, known=known)


def question(backup: Backup, found: Found) -> str:
    """What is going to be done, for a person to say yes to."""
    lines = [f"The lab {backup.stack} is brought back as it was on {backup.day}:"]
    if found.alive:
        lines.append("- its swarm lives and stays as it is")
    else:
        lines.append(f"- the swarm, on {backup.phone}")
    if found.known:
        lines.append(f"- Pulumi's state: what it knows now ({found.known} resources) is replaced")
    else:
        lines.append("- Pulumi's state, which is empty now")
    for name, key in found.new_keys.items():
        lines.append(f"- {name} shows another host key than then ({key}): it was replaced, and")
        lines.append("  `up` makes it ready as a new phone. If it was not, someone listens in")
    lines += [f"- {reason}" for reason in found.silent.values()]
    return "\n".join(lines)


def _restore_file(stack: PulumiStack, backup: Backup, tell: Callable[[str], None]) -> None:
    if not stack.file.exists():
        stack.file.write_text(backup.configuration, encoding="utf-8")
        tell(f"{stack.file.name} is back, as it was on {backup.day}")
    elif stack.file.read_text(encoding="utf-8") != backup.configuration:
        tell(f"{stack.file.name} is not what it was on {backup.day}; it stays as it is now")


def _known(host: Host, keys: Mapping[str, str]) -> Host:
    """The phone as the backup knows it: what was pinned since may be its successor's key."""
    return host.with_host_key(keys.get(host.name, host.host_key))


def _shown(host: Host) -> str:
    """The host key that the phone shows; empty where none is known and our key is not in."""
    try:
        with connect(host) as session:
            return session.host_key
    except HostKeyError as error:
        return error.shown
    except AuthenticationError:
        return host.host_key


def _swarm_of(host: Host) -> str:
    """The id of the swarm that the phone manages; empty where it manages none."""
    with engine(host) as client:
        state = swarm_state(client)
    if not state["ControlAvailable"]:
        return ""
    try:
        listed_by(host)
    except PhoneError:
        return LEADERLESS
    return cluster_id(state) or LEADERLESS


def _let_in(lab: Lab, found: Found, tell: Callable[[str], None]) -> None:
    """Our key goes in on every replaced phone that answers.

    A refresh dials managers as it finds them, and sshd shuts out for a while whoever it has had to
    refuse a few times: `up` would then not get at the phone.
    """
    hosts = [lab.hosts[name].with_host_key(key) for name, key in found.new_keys.items()]
    password = _password(lab)
    asked = {host.name: partial(first_contact, host, password) for host in hosts}
    answers = gather(asked, CONTACT_SECONDS)
    for host in hosts:
        answer = answers.get(host.name, PhoneError(f"{host.name} was not ready in time"))
        tell(str(answer) if isinstance(answer, PhoneError) else f"{host.name} lets us in")


def _password(lab: Lab) -> str:
    return lab.configured.password.get_secret_value() if lab.configured.password else ""


def _restore_swarm(lab: Lab, host: Host, backup: Backup, tell: Callable[[str], None]) -> None:
    tell(f"making {host.name} ready for Docker")
    first_contact(host, _password(lab))
    with connect(host) as session:
        line = shell.command(host.user, root=True)
        checked(session, session.run(line, shell.script("engine.sh"), ENGINE_SECONDS))
    tell(f"putting the swarm of {backup.day} on {host.name}")
    swarm_folder.put(host, backup.swarm)
    swarm_id = new_cluster.take_over(lab, host)
    tell(f"{host.name} leads the swarm {swarm_id} alone")


def _remove_replaced(host: Host, phones: Collection[str], tell: Callable[[str], None]) -> None:
    """Takes machines that are gone off the list, so that what they ran starts elsewhere at once."""
    with engine(host) as client:
        for node in parse(nodes_by_id(client).values()):
            if node.phone in phones:
                delete_node(client, node.id)
                tell(f"removed the old entry of {node.phone} from the managers' list")
