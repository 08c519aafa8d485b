"""A service's environment: ``env_file`` first, ``environment`` over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .node import Node
from .report import KEPT

Read = Callable[[str], "bytes | str"]


def read_bytes(path: str, read: Read, node: Node) -> bytes | None:
    """The content of a file that the compose file names, or ``None`` and a problem at ``node``."""
    try:
        content = read(path)
        return content.encode() if isinstance(content, str) else content
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        node.problem(f"file {node.shown}: {reason}; write the path of a file beside this one")
    except ValueError:
        node.problem(f"file {node.shown} cannot be read as text; write the path of a UTF-8 file")
    return None


def environment(
    layers: Iterable[Mapping[str, Node]], variables: Mapping[str, str], read: Read
) -> dict[str, str]:
    """The variables of the container, in alphabetical order as the Docker CLI sends them.

    ``layers`` are the keys of the service in each file. Within a file ``environment`` goes over
    ``env_file``, and both go over whatever a file before it says, unless they are empty.
    """
    found: dict[str, str] = {}
    for layer in layers:
        own = _from_files(layer["env_file"], variables, read) if "env_file" in layer else {}
        if "environment" in layer:
            own |= _written(layer["environment"], variables, found)
        for name, (value, place) in own.items():
            if "\0" in value:
                place.problem("holds a NUL character, which no variable can; remove it")
            elif value or not found.get(name):
                found[name] = value
            else:
                place.report.warn(place.path, KEPT)
    return dict(sorted(found.items()))


# A variable's value, and where it is written.
_Placed = tuple[str, Node]


def _written(
    values: Node, variables: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}
    for name, node in values.pairs().items():
        if not name or "=" in name or "\0" in name:
            node.problem("must be a name without = or NUL in it")
            continue
        value = None if node.value is None else node.scalar()
        # The Docker CLI takes the value from its own environment not only where the file
        # gives none, but also where it gives an empty one.
        if not value and name in variables:
            value = variables[name]
        if value is not None:
            found[name] = (value, node)
        elif name not in before:
            # The name is not repeated: in the list form it may come from a variable.
            node.problem(
                "has no value here and is not defined elsewhere; write = after it for an empty "
                "one, or put it under cloudlet:secrets or the stack's variables"
            )
    return found


def _from_files(node: Node, variables: Mapping[str, str], read: Read) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}
    for item in node.items() if node.is_list else [node]:
        read_here = _from_file(item, variables, read)
        found |= {name: (value, item) for name, value in read_here.items()}
    return found


def _from_file(node: Node, variables: Mapping[str, str], read: Read) -> dict[str, str]:
    required = True
    path_node = node
    if node.is_mapping:
        fields = node.fields({"path", "required", "format"})
        if "path" not in fields:
            node.problem("has no path; write path: and the file's name")
            return {}
        path_node = fields["path"]
        required = fields["required"].boolean() if "required" in fields else True
    path = path_node.name()
    if not path.strip():
        return {}
    if not required:
        try:
            content = read(path)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            content = read_bytes(path, read, path_node)
    else:
        content = read_bytes(path, read, path_node)
    if content is None:
        return {}
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        path_node.problem(f"file {path_node.shown} is not UTF-8 text; write one that is")
        return {}
    return _parse_lines(text.removeprefix("\ufeff"), path_node, variables)


def _parse_lines(text: str, node: Node, variables: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not name or any(letter in name for letter in " \t"):
            node.problem(
                f"file {node.shown}, line {number}: no variable's name stands before the =; "
                "write NAME=value"
            )
            continue
        if not value and name in variables:
            found[name] = variables[name]
        elif equals:
            found[name] = value
    return found
