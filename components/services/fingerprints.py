"""Short texts that change with what they stand for, and do not give it away. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from components.compose import Content, Network, Service
from components.compose.names import NAMESPACE_LABEL


def content_name(content: Content) -> str:
    """What a secret or config is called in the swarm: with new content it is another object.

    So that a change rolls its users to the new object before the old one goes. A name that the
    file sets itself is kept.
    """
    return content.name if content.pinned_name else f"{content.name}-{fingerprint(content)}"


def fingerprint(content: Content) -> str:
    """Eight digits that change with content and labels; slow to make, so that none can be tried
    out."""
    own = sorted((key, value) for key, value in content.labels.items() if key != NAMESPACE_LABEL)
    labels = json.dumps(own).encode() if own else b""
    digest = hashlib.pbkdf2_hmac(
        "sha256", (content.data or b"") + labels, content.name.encode(), iterations=100_000
    )
    return digest.hex()[:8]


def network_mark(network: Network) -> str:
    """What a network's name in Pulumi ends with: nothing, for one as Swarm makes it by itself.

    Swarm changes no network, and removes none that is in use. With a name that changes with what
    the network is, a change fails where the new one is to be made, before anything was taken away.
    """
    plain = Network(name=network.name, labels={NAMESPACE_LABEL: network.labels[NAMESPACE_LABEL]})
    if network == plain:
        return ""
    text = json.dumps(network, sort_keys=True, default=_fields)
    return f"-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def spec_digest(service: Service, contents: Iterable[str]) -> str:
    """Changes with anything of a service, and of its secrets and configs, but its replicas."""
    fields = dict(vars(replace(service, replicas=0)))
    # What was built shows in its digest.
    del fields["build"]
    text = json.dumps([fields, *contents], sort_keys=True, default=_fields)
    return hashlib.pbkdf2_hmac("sha256", text.encode(), service.name.encode(), 10_000).hex()[:16]


def _fields(value: object) -> dict[str, Any]:
    """What ``json`` is given for a value of the model, maps of any kind among them."""
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else vars(value)
