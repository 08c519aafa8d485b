"""What an image's tag means in its registry, asked over the registry's own API, without Docker.

Public images only: a registry that wants a login refuses.
"""

from __future__ import annotations

import hashlib
from typing import Any

from components.images.architecture import is_described, named
from components.images.image_lock import Locked
from components.images.image_names import familiar
from components.images.media_types import INDEXES
from components.images.upstream import HUB, RefusedError, Upstream, parsed, places

from .errors import OperationError


def resolve(image: str, mirror: str | None = None) -> Locked:
    """The digest and the builds of an image; ``mirror`` is asked before Docker Hub itself.

    Raises:
        OperationError: nobody has it; the text has each one's reason.
    """
    name, _, tag = familiar(image).rpartition(":")
    reasons: list[str] = []
    for base, repository in places(name, mirror, HUB):
        try:
            return _locked(base, repository, tag)
        except RefusedError as error:
            reasons.append(f"{base.partition('://')[2]}: {error}")
    raise OperationError(f"image {familiar(image)}: {'; '.join(reasons)}")


def _locked(base: str, repository: str, tag: str) -> Locked:
    upstream = Upstream(base, repository)
    headers, body = upstream.get(f"manifests/{tag}")
    digest = headers.get("Docker-Content-Digest") or f"sha256:{hashlib.sha256(body).hexdigest()}"
    manifest = parsed(body)
    if manifest.get("mediaType", headers.get_content_type()) in INDEXES:
        builds: list[dict[str, Any]] = [
            each.get("platform") or {} for each in manifest.get("manifests", [])
        ]
    elif "config" in manifest:
        builds = [parsed(upstream.get(f"blobs/{manifest['config']['digest']}")[1])]
    else:
        raise RefusedError("answers with a kind of manifest that is no longer in use")
    platforms = {named(build) for build in builds if is_described(build)}
    return Locked(digest=digest, platforms=tuple(sorted(platforms)))
