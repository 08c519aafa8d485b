"""When an image is to be built anew, and what is said where it cannot be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.compose import Build, Content
from components.images import build_context
from components.images.build_context import ContextError, find

PAGE = Build(context="page")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """The folder of a compose file, with a context in it."""
    page = tmp_path / "page"
    (page / "www").mkdir(parents=True)
    (page / "Dockerfile").write_text("FROM busybox AS other\nCOPY www /www\n")
    (page / "www" / "index.html").write_text("hello")
    return tmp_path


def digest(beside: Path, build: Build = PAGE) -> str:
    return find(build, beside).digest


@pytest.fixture(autouse=True)
def usual_permissions() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_same_context_has_the_same_digest_wherever_it_lies(beside: Path) -> None:
    before = digest(beside)
    os.utime(beside / "page" / "www" / "index.html", (1, 1))
    moved = beside / "elsewhere"
    moved.mkdir()
    (beside / "page").rename(moved / "page")
    assert digest(moved) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda page: (page / "www" / "index.html").write_text("hellp"),
        lambda page: (page / "www" / "index.html").chmod(0o600),
        lambda page: (page / "www" / "index.html").chmod(0o4644),
        lambda page: (page / "www").chmod(0o700),
        lambda page: (page / "www" / "index.html").rename(page / "www" / "other.html"),
        lambda page: (page / "www" / "new").mkdir(),
        lambda page: (page / "www" / "link").symlink_to("index.html"),
        lambda page: (page / "Dockerfile").write_text("FROM busybox\n"),
    ],
)
def test_whatever_may_change_the_image_changes_the_digest(change: object, beside: Path) -> None:
    before = digest(beside)
    assert callable(change)
    change(beside / "page")
    assert digest(beside) != before


@pytest.mark.parametrize(
    "build",
    [
        Build(context="page", target="other"),
        Build(context="page", args={"A": "1"}),
        Build(context="page", args={"A": "2"}),
        Build(context="page", dockerfile="other"),
        Build(context="page", secrets={"npm": Content(name="npm", data=b"1")}),
    ],
)
def test_how_it_is_built_changes_the_digest(build: Build, beside: Path) -> None:
    (beside / "page" / "other").write_text("FROM busybox\n")
    others = [PAGE, Build(context="page", args={"A": "3"})]
    assert digest(beside, build) not in {digest(beside, other) for other in others}


def test_another_content_of_a_secret_builds_nothing_anew_as_with_docker(beside: Path) -> None:
    one, other = (
        Build(context="page", secrets={"npm": Content(name="npm", data=data)})
        for data in (b"1", b"2")
    )
    assert digest(beside, one) == digest(beside, other)


def test_what_is_ignored_changes_nothing(beside: Path) -> None:
    page = beside / "page"
    (page / ".dockerignore").write_text("# what is not for the image\nnotes\n**/*.swp\n")
    before = digest(beside)
    (page / "notes").mkdir()
    (page / "notes" / "today").write_text("x")
    (page / "www" / ".index.swp").write_text("x")
    assert digest(beside) == before
    (page / "www" / "notes").write_text("a pattern starts at the top")
    assert digest(beside) != before


def test_a_dockerfile_counts_though_it_is_ignored(beside: Path) -> None:
    page = beside / "page"
    (page / ".dockerignore").write_text("Dockerfile\n")
    before = digest(beside)
    (page / "Dockerfile").write_text("FROM scratch\n")
    assert digest(beside) != before


def test_a_dockerfile_may_have_an_ignore_file_of_its_own(beside: Path) -> None:
    page = beside / "page"
    (page / ".dockerignore").write_text("www\n")
    (page / "Dockerfile.dockerignore").write_text("notes\n")
    found = find(PAGE, beside)
    assert found.ignore == page / "Dockerfile.dockerignore"


def test_what_an_exception_brings_back_counts_and_nothing_beside_it(beside: Path) -> None:
    page = beside / "page"
    (page / "other" / "deep").mkdir(parents=True)
    (page / "other" / "deep" / "x").write_text("x")
    (page / ".dockerignore").write_text("*\n!www\n")
    before = digest(beside)
    (page / "other" / "deep" / "x").write_text("y")
    (page / "other" / "deep" / "new").mkdir()
    assert digest(beside) == before
    (page / "www" / "index.html").write_text("y")
    assert digest(beside) != before


def test_a_folder_that_is_not_there_is_told(beside: Path) -> None:
    with pytest.raises(ContextError, match='there is no folder "pgae"; paths start at the comp'):
        find(Build(context="pgae"), beside)


def test_a_dockerfile_that_is_not_there_is_told(beside: Path) -> None:
    with pytest.raises(ContextError) as caught:
        find(Build(context="page", dockerfile="arm.Dockerfile"), beside)
    assert str(caught.value) == (
        'there is no file "arm.Dockerfile" in "page"; write one, or dockerfile: and its name'
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", '".dockerignore" in "page" cannot be read: it is not UTF-8 text'),
        (
            b"notes\ndist\\\n",
            '".dockerignore" in "page", line 2: "dist\\" ends in a backslash; write dist',
        ),
    ],
)
def test_an_ignore_file_that_cannot_be_read_is_told(
    content: bytes, told: str, beside: Path
) -> None:
    (beside / "page" / ".dockerignore").write_bytes(content)
    with pytest.raises(ContextError) as caught:
        find(PAGE, beside)
    assert str(caught.value) == told


def test_what_cannot_be_read_is_told_by_its_place_in_the_context(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = beside / "page"

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(build_context, "_content", refused)
    with pytest.raises(ContextError) as caught:
        find(PAGE, beside)
    assert str(caught.value) == '"Dockerfile" in "page" cannot be read: Permission denied'
    assert str(page) not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# to come\n", "is empty; it begins with FROM and an image"),
        ("FROM busybox AS web\n", 'has no stage "page" for target; write web'),
    ],
)
def test_a_dockerfile_that_cannot_be_built_is_told(text: str, told: str, beside: Path) -> None:
    (beside / "page" / "Dockerfile").write_text(text)
    with pytest.raises(ContextError) as caught:
        find(Build(context="page", target="page"), beside)
    assert str(caught.value) == f'"Dockerfile" in "page" {told}'


def test_what_buildah_first_makes_a_dockerfile_of_is_not_looked_at(beside: Path) -> None:
    (beside / "page" / "Containerfile.in").write_text("#include common\n")
    assert find(Build(context="page", dockerfile="Containerfile.in"), beside).digest
