"""Short texts that change with what they stand for, and do not give it away. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from components.compose import Content, Network, Service
from components.compose.names import IMAGE_LABEL, NAMESPACE_LABEL

# The compose file's words for a service's properties, where they are others.
_KEYS = {
    "attachments": "networks",
    "container_labels": "labels",
    "endpoint_mode": "deploy.endpoint_mode",
    "labels": "deploy.labels",
    "mode": "deploy.mode",
    "mounts": "volumes",
    "placement": "deploy.placement",
    "resources": "deploy.resources",
    "restart": "deploy.restart_policy",
    "rollback": "deploy.rollback_config",
    "update": "deploy.update_config",
}


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


def is_digest(text: str) -> bool:
    """Whether it is one of :func:`spec_digest`'s."""
    return re.fullmatch(r"[0-9a-f]{16}", text) is not None


def spec_parts(
    service: Service, contents: Iterable[str], secrets: Collection[str]
) -> dict[str, str]:
    """What differs between two of these is what made the digests of two specs differ: each part of
    the service that its file fills in, by the file's word for it. The image is plain.

    A part that holds one of ``secrets`` is marked slowly, so that none can be tried out.
    """
    secrets = [secret for secret in secrets if secret]
    hidden = [json.dumps(secret)[1:-1] for secret in secrets]
    labels = {key: value for key, value in service.labels.items() if key != IMAGE_LABEL}
    service = replace(service, labels=labels)
    blank = vars(Service(name=service.name, image=service.image))
    parts = {
        _KEYS.get(key, key): _mark(value, hidden)
        for key, value in vars(service).items()
        if value != blank[key] and key not in ("build", "replicas")
    }
    # The names of secrets and configs change with what is in them.
    if names := [*contents]:
        parts["content of its secrets and configs"] = _mark(names, hidden)
    is_secret = any(secret in service.image for secret in secrets)
    return {"image": _mark(service.image, hidden) if is_secret else service.image, **parts}


def _mark(value: object, hidden: Collection[str]) -> str:
    """``hidden`` are secrets as they stand within JSON."""
    text = json.dumps(value, sort_keys=True, default=_fields)
    if any(secret in text for secret in hidden):
        return hashlib.pbkdf2_hmac("sha256", text.encode(), b"", 10_000).hex()[:8]
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _fields(value: object) -> dict[str, Any]:
    """What ``json`` is given for a value of the model, maps of any kind among them."""
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else vars(value)
