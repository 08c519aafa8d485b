"""A backup opens with its passphrase only, with `age` too, and never takes another's place."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest

from operations import archive
from operations.errors import OperationError
from tests.unit.operations_samples import a_backup


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with the passphrase "correct horse"; making a key of one takes seconds."""
    file = tmp_path_factory.mktemp("backups") / "deep" / "backup"
    with archive.reserved(file):
        archive.write(a_backup(), file, "correct horse")
    return file


@pytest.fixture
def no_cipher(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is not about the cipher."""
    head = b"age-encryption.org/v1"
    monkeypatch.setattr(pyrage.passphrase, "encrypt", lambda plain, _: head + plain)
    monkeypatch.setattr(pyrage.passphrase, "decrypt", lambda data, _: data.removeprefix(head))


@pytest.mark.slow
def test_what_was_written_is_read(written: Path) -> None:
    assert archive.read(written, lambda: "correct horse") == a_backup()


def test_its_name_says_which_lab_and_when() -> None:
    name = archive.file_name("lab", a_backup().made)
    assert name == "lab-2026-11-23T09-30-00Z.tar.gz.age"
    assert a_backup().day == "2026-11-23 09:30 UTC"


@pytest.mark.slow
def test_only_its_owner_reads_it_and_nothing_in_it_is_plain(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    content = written.read_bytes()
    assert content.startswith(b"age-encryption.org/v1")
    for secret in (b"raft-keys", b"phone-1", b"correct horse"):
        assert secret not in content
    assert [each.name for each in written.parent.iterdir()] == ["backup"]


@pytest.mark.usefixtures("no_cipher")
def test_what_age_opens_is_a_tar(tmp_path: Path) -> None:
    archive.write(a_backup(), tmp_path / "backup", "x")
    plain = (tmp_path / "backup").read_bytes().removeprefix(b"age-encryption.org/v1")
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames() == [
            "backup.json",
            "Pulumi.lab.yaml",
            "state.json",
            "swarm.tar.gz",
        ]


def test_another_backup_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("precious")
    with pytest.raises(OperationError, match="is there already; give another FILE"):
        with archive.reserved(file):
            raise AssertionError("this file is not free")
    assert file.read_text() == "precious"
    assert [each.name for each in tmp_path.iterdir()] == ["backup"]


def test_where_no_backup_came_of_it_no_file_stays(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        with archive.reserved(tmp_path / "backup"):
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_cipher")
def test_a_stick_whose_file_system_knows_no_links_takes_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    for call in ("link", "symlink"):
        monkeypatch.setattr(os, call, refused)
    with archive.reserved(tmp_path / "backup"):
        archive.write(a_backup(), tmp_path / "backup", "x")
    assert archive.read(tmp_path / "backup", lambda: "x") == a_backup()


@pytest.mark.slow
def test_a_wrong_passphrase_is_told(written: Path) -> None:
    with pytest.raises(OperationError, match="does not open with this passphrase, or was damaged"):
        archive.read(written, lambda: "battery staple")


def test_what_is_no_backup_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="cannot be read: No such file"):
        archive.read(tmp_path / "none", lambda: pytest.fail("it asks for its passphrase"))
    text = tmp_path / "text"
    text.write_text("hello")
    with pytest.raises(OperationError, match="is no backup: it is not encrypted with age"):
        archive.read(text, lambda: "x")


@pytest.mark.usefixtures("no_cipher")
def test_something_else_that_age_encrypted_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(pyrage.passphrase.encrypt(b"a letter", "x"))
    with pytest.raises(OperationError, match="no backup of a lab that this version"):
        archive.read(other, lambda: "x")


@pytest.mark.usefixtures("no_cipher")
def test_a_backup_of_a_newer_cloudlet_is_not_guessed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(archive, "FORMAT", 2)
        archive.write(a_backup(), tmp_path / "backup", "x")
    with pytest.raises(OperationError, match="no backup of a lab that this version"):
        archive.read(tmp_path / "backup", lambda: "x")


@pytest.mark.usefixtures("no_cipher")
def test_the_moment_is_kept_to_the_second(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    archive.write(replace(a_backup(), made=moment), tmp_path / "backup", "x")
    assert archive.read(tmp_path / "backup", lambda: "x").made == moment
