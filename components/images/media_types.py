"""What registries call the kinds of what they hold (OCI's words, and Docker's own before). Pure."""

from __future__ import annotations

INDEX = "application/vnd.oci.image.index.v1+json"
INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
# For a request: any kind that says what an image is made of.
ACCEPT = ", ".join(
    (
        *INDEXES,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
