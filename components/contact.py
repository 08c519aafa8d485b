"""First contact with a phone: key in, root without a password, host key recorded.

A dynamic resource, because it must see the host key that the phone shows, and because at the end
it puts back what it found, within bounds and whether or not the phone still lives.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Sequence
from typing import Any

import paramiko
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, UpdateResult

from . import plan_words
from .dynamic import Provider, run_script, tell, tell_once
from .phones import access
from .remote import shell
from .remote.ssh import Host, PhoneError, connect, load_key

FOUND = ("docker_enabled", "docker_running", "in_docker_group")


class ContactProvider(Provider):
    """Inputs ``phone`` (a host's properties), ``password`` (secret, may be empty), ``cleanup``."""

    updates = ("phone", "cleanup")

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if _news["phone"]["host_key"] in ("", _olds["host_key"]):
            # The recorded key was written down, or no longer is: that changes nothing.
            phone = {**_news["phone"], "host_key": _olds["phone"]["host_key"]}
            _news = {**_news, "phone": phone}
        return super().diff(_id, _olds, _news)

    def reasons(self, olds: dict[str, Any], news: dict[str, Any]) -> Iterable[str]:
        yield from super().reasons(olds, news)
        for words in plan_words.difference("cleanup", olds["cleanup"], news["cleanup"]):
            yield f"{olds['phone']['name']}: {words}"

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])
        contacted = first_contact(host, props["password"])
        if not host.host_key:
            # As `ssh-keygen -l` on the phone shows it, for whoever wants to compare.
            blob = base64.b64decode(contacted["host_key"].split()[1])
            tell(f"{host.name}: host key recorded, {paramiko.Ed25519Key(data=blob).fingerprint}")
        return CreateResult(host.name, {**props, **contacted})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        host = Host.from_inputs(_news["phone"])
        # Recorded once, a host key is as good as one that was configured.
        known = host if host.host_key else host.with_host_key(_olds["host_key"])
        # What the phone was like before cloudlet is known from the first time only.
        contacted = {**first_contact(known, _news["password"]), "found": _olds["found"]}
        return UpdateResult({**_news, **contacted})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        host = Host.from_inputs(_props["phone"]).with_host_key(_props["host_key"])
        found = [_props["found"][key] for key in FOUND]
        try:
            with connect(host) as session:
                arguments = [host.name, host.user, *found, *_props["cleanup"]]
                run_script(session, "restore.sh", *arguments)
        except PhoneError as error:
            # A dead phone must not stop a destroy; it is said what stays on it.
            tell_once(str(error))
            tell(
                f"Left on {host.name}: its place in the swarm, Docker as cloudlet set it up. When "
                "it is back, configure it again and run `make up`; or run `docker swarm leave "
                "--force` on it and disable Docker at boot"
            )


class Contact(Resource, module="cloudlet", name="Contact"):
    """Outputs: ``host_key`` (``ssh-ed25519 AAAA…``) and ``found``, what was on the phone before.

    ``cleanup`` names what goes with the resource beyond what cloudlet set up: ``images`` that no
    container uses, ``volumes`` of stacks.
    """

    host_key: pulumi.Output[str]
    found: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        *,
        host: Host,
        password: pulumi.Input[str],
        cleanup: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            ContactProvider(),
            name,
            {
                "phone": host.to_inputs(),
                "password": password,
                "cleanup": list(cleanup),
                "host_key": None,
                "found": None,
            },
            opts,
        )


def first_contact(host: Host, password: str) -> dict[str, Any]:
    """Lets the controller in for good: its key, root without a password, the right time.

    Returns ``host_key``, which the phone showed, and ``found``, what it was like before. Safe to do
    again. Raises PhoneError where the phone cannot be made ready.
    """
    with connect(host, password or None) as session:
        key = load_key(host.key_file)
        access.open_up(session, password)
        told = run_script(
            session,
            "contact.sh",
            *(host.name, host.user, str(int(time.time()))),
            settings={"PUBLIC_KEY": f"{key.get_name()} {key.get_base64()} cloudlet"},
        )
        facts = shell.parse_facts(told)
        found = {key: facts[key] for key in FOUND}
        found["daemon_json"] = base64.b64decode(facts["daemon_json"]).decode(errors="replace")
        return {"host_key": session.host_key, "found": found}
