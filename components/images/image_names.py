"""Names of images as Docker writes them. Pure."""

from __future__ import annotations


def hub_repository(image: str) -> str | None:
    """The image's repository at Docker Hub; ``None`` if it is another registry's."""
    if registry_of(image):
        return None
    name = untagged(familiar(image))
    return name if "/" in name else f"library/{name}"


def registry_of(image: str) -> str:
    """The registry that the image's name begins with; empty where that is Docker Hub."""
    host, slash, _ = familiar(image).partition("/")
    return host if slash and (host == "localhost" or "." in host or ":" in host) else ""


def untagged(image: str) -> str:
    """The name without tag and digest."""
    name = image.partition("@")[0]
    head, _, tag = name.rpartition(":")
    return head if head and "/" not in tag else name


def familiar(image: str) -> str:
    """The name as Docker itself writes it, with a tag unless it has a digest.

    Docker drops its own registry from a name that it stores, and the official provider then plans
    a change of the name for ever.
    """
    name = image
    for prefix in ("index.docker.io/", "docker.io/"):
        name = name.removeprefix(prefix)
    # Only Docker Hub's official images are in "library"; on another registry it is a name.
    if name.count("/") == 1:
        name = name.removeprefix("library/")
    tagged = "@" in name or ":" in name.rpartition("/")[2]
    return name if tagged else f"{name}:latest"
