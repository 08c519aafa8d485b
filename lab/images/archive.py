"""An image archive for `docker load`: one program in an otherwise empty image.

Made without `docker build`, so that the same program gives the same image, byte for byte, and so
that a health check can have a start interval, which Docker before 25 keeps but can't set.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from lab.images.catalogue import GoImage, Health

_NANOSECONDS = 1_000_000_000
_CREATED = "1970-01-01T00:00:00Z"


def archive(images: Mapping[str, GoImage], program: bytes, architecture: str) -> bytes:
    """Images by their local tag, all around the same program."""
    paths = {image.entrypoint[0].lstrip("/") for image in images.values()}
    layer = _tar(dict.fromkeys(sorted(paths), program))
    digest = hashlib.sha256(layer).hexdigest()
    files = {f"{digest}.tar": layer}
    manifest: list[dict[str, Any]] = []
    for tag, image in images.items():
        text = json.dumps(configuration(image, digest, architecture), sort_keys=True).encode()
        name = f"{hashlib.sha256(text).hexdigest()}.json"
        files[name] = text
        manifest.append({"Config": name, "RepoTags": [tag], "Layers": [f"{digest}.tar"]})
    files["manifest.json"] = json.dumps(manifest).encode()
    return _tar(files)


def configuration(image: GoImage, layer: str, architecture: str) -> dict[str, Any]:
    """The image's configuration as Docker keeps it; `layer` is its only layer's SHA-256."""
    inner: dict[str, Any] = {
        "Entrypoint": list(image.entrypoint),
        "Env": [f"{key}={value}" for key, value in image.environment.items()],
        "ExposedPorts": {f"{port}/tcp": {} for port in image.ports},
        "Volumes": {path: {} for path in image.volumes},
        "User": image.user,
        "WorkingDir": "/",
        "Labels": {"cloudlet.lab.stand-in": f"small stand-in for {image.reference}"},
    }
    if image.health:
        inner["Healthcheck"] = _health(image.health)
    return {
        "architecture": architecture,
        **({"variant": "v7"} if architecture == "arm" else {}),
        "os": "linux",
        "created": _CREATED,
        "config": inner,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
        "history": [{"created": _CREATED, "created_by": "lab.images.archive"}],
    }


def _health(health: Health) -> dict[str, Any]:
    return {
        "Test": ["CMD", *health.command],
        "Interval": int(health.interval * _NANOSECONDS),
        "Timeout": int(health.timeout * _NANOSECONDS),
        "StartPeriod": int(health.start_period * _NANOSECONDS),
        "StartInterval": int(health.start_interval * _NANOSECONDS),
        "Retries": health.retries,
    }


def _tar(files: Mapping[str, bytes]) -> bytes:
    """Every file executable, with root as owner and no date."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
