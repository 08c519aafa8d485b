"""Compose files with what they must turn into, or be refused for.

``python -m tests.unit.compose_goldens`` renews what is expected: every ``*.json`` in
``tests/golden/compose``, and the problems in ``tests/golden/compose/mistakes/*.yml``. Read the
difference before you keep it: the tests only say that nothing has changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import yaml

from components.compose import ComposeError, ComposeFile, StackSpec, load_files

CHECKOUT = Path(__file__).parents[2]
GOLDEN = CHECKOUT / "tests" / "golden" / "compose"
MISTAKES = GOLDEN / "mistakes"
SEVERAL = GOLDEN / "several"
STACKS = CHECKOUT / "stacks"

VARIABLES = {
    "EMPTY": "",
    "EMPTY_BUT_KNOWN_TO_THE_LAB": "filled in",
    "FROM_LAB": "a value of the lab",
    "GREETING": "hello there",
    "HOST_NAME": "corner",
    "MODE": "292",
    "PASSWORD": "correct-horse-battery",
    "PORT": "8080",
    "REPLICAS": "3",
    "SETTINGS": "shop.env",
    "TAG": "1.2",
    "USER_NAME": "barista",
    "VOLUME": "a-volume",
    "YES": "yes",
    # What the lab's own stacks ask for.
    "ENTRY_ADDRESS": "192.168.8.11",
    "PORTAINER_ADMIN_PASSWORD": "a-long-enough-password",
    "PORTAINER_AGENT_SECRET": "agents-only",
    "POSTGRES_PASSWORD": "postgresSecret",
    "RABBITMQ_PASSWORD": "rabbitSecret",
}


def cases() -> dict[str, list[Path]]:
    """The compose files of each case, by the name of its golden file."""
    found = {path.stem: [path] for path in sorted(GOLDEN.glob("*.yml"))}
    for path in sorted(SEVERAL.glob("*.yml")):
        found.setdefault(f"several/{path.stem.split('.')[0]}", []).append(path)
    return found | {f"stack_{path.stem}": [path] for path in sorted(STACKS.glob("*.yml"))}


def loaded(*paths: Path) -> StackSpec:
    return load_files(
        [ComposeFile(source=path.name, text=path.read_text(encoding="utf-8")) for path in paths],
        stack="shop",
        variables=VARIABLES,
        read=lambda name: (paths[0].parent / name).read_bytes(),
    )


def expected_file(name: str) -> Path:
    return GOLDEN / f"{name}.json"


def as_json(spec: StackSpec) -> str:
    return json.dumps(plain(spec), indent=2, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """``value`` as JSON; fields that have their default are left out, so that the rest is seen."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name))
            for field in fields(value)
            if getattr(value, field.name) != _default(field)
        }
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def _default(field: Any) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


class Mistake(TypedDict):
    """A file that cannot be deployed. ``problems`` are without the name of the file.

    ``second`` is a file that goes over it; what is wrong there keeps its name, ``second.yml``.
    """

    about: str
    file: str
    second: NotRequired[str]
    problems: list[str]


_FILES = {
    "bad.env": b"FINE=1\nNOT FINE=2\n",
    "empty": b"",
    "nul.env": b"A=x\0y\n",
    "large": b"x" * (500 * 1024 + 1),
    "note.txt": b"a note",
    "binary.env": b"A=\xff",
}


def mistakes(path: Path) -> list[Mistake]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def problems(mistake: Mistake) -> list[str]:
    """What is wrong with a file, without its name."""
    return [line.removeprefix("shop.yml: ") for line in lines(mistake)]


def lines(mistake: Mistake) -> list[str]:
    """What is wrong with a file, where little is defined and few files are there."""

    def read(name: str) -> bytes:
        if name not in _FILES:
            raise FileNotFoundError(2, "No such file or directory", name)
        return _FILES[name]

    variables = {"KNOWN": "a-known-value", "EMPTY": ""}
    files = [ComposeFile(source="shop.yml", text=mistake["file"])]
    if "second" in mistake:
        files.append(ComposeFile(source="second.yml", text=mistake["second"]))
    try:
        load_files(files, stack="shop", variables=variables, read=read)
    except ComposeError as error:
        return list(error.problems)
    return []


def _as_yaml(items: list[Mistake]) -> str:
    lines: list[str] = []
    for item in items:
        lines += ["", f"- about: {item['about']}"]
        for key in ("file", "second"):
            text = item.get(key)
            if text is None:
                continue
            if text.endswith("\n") and text.replace("\n", "").isprintable():
                lines += [f"  {key}: |", *(f"    {line}" for line in text.splitlines())]
            else:
                lines.append(f"  {key}: {json.dumps(text)}")
        lines.append("  problems:")
        lines += [f"    - {json.dumps(line, ensure_ascii=False)}" for line in item["problems"]]
    return "\n".join(lines[1:]) + "\n"


def main() -> None:
    for name, paths in cases().items():
        expected_file(name).write_text(as_json(loaded(*paths)), encoding="utf-8")
    for path in MISTAKES.glob("*.yml"):
        items = mistakes(path)
        for item in items:
            item["problems"] = problems(item)
        path.write_text(_as_yaml(items), encoding="utf-8")


if __name__ == "__main__":
    main()
