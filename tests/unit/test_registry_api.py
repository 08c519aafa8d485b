"""What is asked of the lab's registry: what is there, what goes, an archive put into it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_registry import BUILD, HOST, LIST, Registry, digest_of, nobody

from components.images.registry_api import RegistryApi
from components.remote.ssh import PhoneError, Session


def archive(folder: Path, platforms: int = 2) -> tuple[Path, str]:
    """An OCI archive as buildx leaves it, and the digest of its image."""
    files: dict[str, bytes] = {"oci-layout": b"{}"}

    def blob(kind: str, body: bytes) -> dict[str, Any]:
        digest = digest_of(body)
        files[f"blobs/{digest.replace(':', '/')}"] = body
        return {"mediaType": kind, "digest": digest, "size": len(body)}

    layer = blob("layer", b"shared by both" * 100)
    builds = [
        blob(
            BUILD,
            json.dumps({"config": blob("config", b"%d" % number), "layers": [layer]}).encode(),
        )
        for number in range(platforms)
    ]
    top = builds[0]
    if platforms > 1:
        top = blob(LIST, json.dumps({"manifests": builds}).encode())
    files["index.json"] = json.dumps({"manifests": [top]}).encode()
    path = folder / "image.tar"
    with tarfile.open(path, "w") as tar:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return path, top["digest"]


def test_an_archive_is_put_in_with_a_list_and_every_build(tmp_path: Path) -> None:
    path, digest = archive(tmp_path)
    registry = Registry()
    with registry.serving() as session:
        api = RegistryApi(session, 5081)
        assert api.upload(path, "hello/web", "one") == digest
        assert api.digest("hello/web", "one") == digest
        assert len(api.manifest("hello/web", digest)["manifests"]) == 2
        assert len(registry.blobs) == 3
        registry.log.clear()
        api.upload(path, "hello/web", "two")
        assert not [line for line in registry.log if line.startswith("POST")], "sent once"
        api.close()


def test_one_build_alone_is_put_in_as_a_list_too(tmp_path: Path) -> None:
    path, build = archive(tmp_path, platforms=1)
    with Registry().serving() as session:
        api = RegistryApi(session, 5081)
        digest = api.upload(path, "hello/web", "one")
        assert api.digest("hello/web", "one") == digest != build
        (listed,) = api.manifest("hello/web", "one")["manifests"]
        assert listed["digest"] == build
        assert api.upload(path, "hello/web", "one") == digest
        api.close()


def test_what_is_kept_stays_whole_and_the_rest_goes() -> None:
    registry = Registry()
    registry.put("hello/web", "old", "arm", "amd64")
    kept = registry.put("hello/web", "new", "arm", "amd64")
    other = registry.put("hello/db", "old", "arm")
    with registry.serving() as session:
        api = RegistryApi(session, 5081)
        assert api.keep("hello/web", ["new"])
        assert set(registry.manifests) == {*kept, *other}
        assert api.tags("hello/web") == ["new"]
        assert not api.keep("hello/web", ["new"]), "nothing goes twice"
        api.close()


def test_a_tag_that_means_what_a_kept_one_means_keeps_it() -> None:
    registry = Registry()
    kept = registry.put("hello/web", "new", "arm")
    registry.tags["hello/web"]["old"] = kept[0]
    with registry.serving() as session:
        api = RegistryApi(session, 5081)
        assert not api.keep("hello/web", ["new"])
        assert set(registry.manifests) == set(kept)
        api.close()


def test_what_is_not_there_is_none() -> None:
    with Registry().serving() as session:
        api = RegistryApi(session, 5081)
        assert api.digest("hello/web", "one") is None
        assert api.tags("never/pushed") == []
        api.close()


def test_a_refusal_is_told_in_the_registrys_words(tmp_path: Path) -> None:
    registry = Registry()
    registry.refuses = "no space left on device"
    with registry.serving() as session:
        api = RegistryApi(session, 5081)
        with pytest.raises(PhoneError) as caught:
            api.upload(archive(tmp_path)[0], "hello/web", "one")
        api.close()
    assert str(caught.value) == "phone-1: the lab's registry says: no space left on device"


def test_a_registry_that_does_not_answer_is_told() -> None:
    session = cast(Session, SimpleNamespace(host=HOST, open_port=nobody))
    with pytest.raises(PhoneError, match="phone-1: the lab's registry gives no answer"):
        RegistryApi(session, 5081).ping()
