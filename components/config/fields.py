"""The values that a configuration is made of: what each may be, and what to say if it is not.

Every check takes text and returns it in its one canonical spelling, or raises ``ValueError`` with
the rest of a sentence that starts with the key. Values that could be secret are never quoted.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, WithJsonSchema

_PHONE_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_STACK_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_LABEL = r"^[A-Za-z_][A-Za-z0-9_.-]{0,62}$"
_LABEL_VALUE = r"^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,62}$"
_RESERVED_LABEL = "cloudlet."
_USER = r"^[a-z_][a-z0-9_-]{0,31}$"
_DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
_SIZE = r"^[1-9][0-9]{0,5}[kmg]$"
_CACHE_SIZE = r"^[1-9][0-9]{0,5}[mg]$"
_URL = r"^https?://[A-Za-z0-9._:\[\]-]+/?$"
_LONGEST_NAME = 255
_ED25519_BLOB_HEAD = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_ECHO = 60


def echo(text: str) -> str:
    """A value as a message shows it: quoted, on one line, not too long."""
    return repr(text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "…")


def seconds(duration: str) -> float:
    """The length of a duration such as ``1h30m``."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", duration)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def from_root(root: Path, written: str) -> Path:
    """The path that was written, seen from ``root``; ``~`` is the home directory."""
    try:
        return root / Path(written).expanduser()
    except RuntimeError:  # the home of a user whom this machine does not know
        return root / written


def _phone_name(name: str) -> str:
    if not re.fullmatch(_PHONE_NAME, name):
        raise ValueError(
            "is no name for a phone; use lower-case letters, digits and inner hyphens, "
            "as in a hostname, at most 63"
        )
    return name


def _stack_name(name: str) -> str:
    if not re.fullmatch(_STACK_NAME, name):
        raise ValueError(
            "is no name for a stack; use letters, digits, hyphens and underscores, "
            "a letter or digit first, at most 61"
        )
    return name


def _variable(name: str) -> str:
    if not re.fullmatch(_VARIABLE, name):
        raise ValueError(
            "is no name for a variable; use letters, digits and underscores, no digit first"
        )
    return name


def _label(name: str) -> str:
    if name.startswith(_RESERVED_LABEL):
        raise ValueError(f"labels that start with {_RESERVED_LABEL} are set by cloudlet itself")
    if not re.fullmatch(_LABEL, name):
        raise ValueError(
            "is no name for a label; use letters, digits, dots, hyphens and underscores, "
            "a letter or underscore first, at most 63"
        )
    return name


def _label_value(value: str) -> str:
    if not re.fullmatch(_LABEL_VALUE, value):
        raise ValueError(
            f"{echo(value)} cannot be matched by a placement constraint; use letters, digits, "
            "spaces and . _ : / -, a letter or digit first, at most 63"
        )
    return value


def _user(value: str) -> str:
    if not re.fullmatch(_USER, value):
        raise ValueError(f"{echo(value)} is no user name; use lower-case letters, digits, - and _")
    return value


def _key_file(value: str) -> str:
    if "PRIVATE KEY" in value or "\n" in value:
        raise ValueError("holds the key itself; write the path of the file that holds it")
    if not value.strip():
        raise ValueError("is empty; write a path like ~/.ssh/id_ed25519")
    if value.endswith(".pub"):
        raise ValueError(f"{echo(value)} is the public half; write {echo(value[:-4])}")
    return value


def _stack_file(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; write a path like stacks/portainer.yml")
    return value


def _lock_file(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; write a path like stacks/lab.lock.yml")
    if "\0" in value or any(len(part.encode()) > _LONGEST_NAME for part in Path(value).parts):
        raise ValueError(f"{echo(value)} cannot be the name of a file")
    return value


def _host_key(value: str) -> str:
    how = "run ssh-keyscan -t ed25519 ADDRESS and copy what follows the address"
    words = value.split()
    kind = next((word for word in words if word.startswith(("ssh-", "ecdsa-", "sk-"))), "")
    if kind == "ssh-rsa":
        raise ValueError(
            "is an RSA key, and pinning one makes the phone sign with SHA-1, which today's SSH "
            f"servers refuse; give its ed25519 key: {how}"
        )
    if kind not in ("", "ssh-ed25519"):
        raise ValueError(f"is a key of type {echo(kind)}; give the phone's ed25519 key: {how}")
    try:
        blob = base64.b64decode(words[1], validate=True) if words[0] == kind else b""
    except (IndexError, binascii.Error):
        blob = b""
    if not (blob.startswith(_ED25519_BLOB_HEAD) and len(blob) == len(_ED25519_BLOB_HEAD) + 32):
        raise ValueError(f"is not in the form ssh-ed25519 AAAA…; {how}")
    return f"{words[0]} {words[1]}"


def _mirror(value: str) -> str:
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port
    except ValueError:
        url, host = None, None
    if url is None or url.scheme not in ("http", "https") or not host:
        raise ValueError("is not an http or https URL; write one like http://192.168.8.2:5000")
    if "@" in url.netloc:
        raise ValueError("must not hold a user or password: Docker refuses such a mirror")
    if url.path not in ("", "/") or url.query or url.fragment:
        raise ValueError(f"must end after host and port, as in {url.scheme}://{url.netloc}")
    if not re.fullmatch(_URL, value):
        raise ValueError(f"{echo(value)} holds a character that no host's name has")
    return f"{url.scheme}://{url.netloc}"


def _duration(value: str, *, least: str, most: str) -> str:
    if not re.fullmatch(_DURATION, value):
        raise ValueError(f"{echo(value)} is not a duration; write one like 20s, 90m or 8760h")
    if seconds(value) < seconds(least):
        raise ValueError(f"{echo(value)} is too short; Swarm needs at least {least}")
    if seconds(value) > seconds(most):
        raise ValueError(f"{echo(value)} is too long; write {most} at most")
    return value


def _heartbeat(value: str) -> str:
    return _duration(value, least="1s", most="1h")


def _expiry(value: str) -> str:
    return _duration(value, least="1h", most="876000h")


def _log_size(value: str) -> str:
    if not re.fullmatch(_SIZE, value):
        raise ValueError(
            f"{echo(value)} is not a size; write one like 5m (k, m or g, 6 digits at most)"
        )
    return value


def _cache_size(value: str) -> str:
    if not re.fullmatch(_CACHE_SIZE, value):
        raise ValueError(f"{echo(value)} is not a size; write one like 500m or 4g (m or g)")
    return value


def _ssid(value: str) -> str:
    length = len(value.encode())
    if not 1 <= length <= 32:
        raise ValueError(f"has {length} bytes; a wifi's name has 1 to 32")
    if not value.isprintable():
        raise ValueError("holds a character that cannot be printed, a line's end or a tab")
    if value != value.strip():
        raise ValueError("begins or ends with a space, which is not supported; rename the network")
    return value


def _wifi_password(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if len(value) == 64 and not re.fullmatch(r"[0-9A-Fa-f]{64}", value):
        raise ValueError("has 64 characters, so all must be hexadecimal digits; WPA takes 8 to 63")
    if not 8 <= len(value) <= 64:
        raise ValueError(f"has {_characters(value)}; WPA takes 8 to 63, or 64 hexadecimal digits")
    if not (value.isascii() and value.isprintable()):
        raise ValueError("holds a character outside printable ASCII, which WPA does not take")
    return secret


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise ValueError("is empty; give it a value or remove the key")
    return secret


def too_short_for_portainer(secret: SecretStr) -> str | None:
    """What is wrong with the password of Portainer's first user, or ``None``."""
    value = secret.get_secret_value()
    if len(value) >= 12:
        return None
    return f"has {_characters(value)}; Portainer takes no password under 12"


def _characters(value: str) -> str:
    return "1 character" if len(value) == 1 else f"{len(value)} characters"


def text_like(pattern: str) -> WithJsonSchema:
    """How an editor checks a text; the pattern is JavaScript's."""
    return WithJsonSchema({"type": "string", "pattern": pattern})


# As Pulumi keeps a secret in the file; to the program it comes decrypted.
_ENCRYPTED: dict[str, object] = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}
_SECRET = WithJsonSchema(_ENCRYPTED)

PhoneName = Annotated[str, AfterValidator(_phone_name), text_like(_PHONE_NAME)]
StackName = Annotated[str, AfterValidator(_stack_name), text_like(_STACK_NAME)]
Variable = Annotated[str, AfterValidator(_variable), text_like(_VARIABLE)]
VariableValue = Annotated[str, WithJsonSchema({"anyOf": [{"type": "string"}, _ENCRYPTED]})]
Label = Annotated[
    str, AfterValidator(_label), text_like(_LABEL.replace("^", r"^(?!cloudlet\.)", 1))
]
LabelValue = Annotated[str, AfterValidator(_label_value), text_like(_LABEL_VALUE)]
User = Annotated[str, AfterValidator(_user), text_like(_USER)]
KeyFile = Annotated[str, AfterValidator(_key_file)]
StackFile = Annotated[str, AfterValidator(_stack_file)]
LockFile = Annotated[str, AfterValidator(_lock_file)]
HostKey = Annotated[str, AfterValidator(_host_key), text_like("^ssh-ed25519 AAAA[A-Za-z0-9+/]{64}")]
Mirror = Annotated[str, AfterValidator(_mirror), text_like(_URL)]
Heartbeat = Annotated[str, AfterValidator(_heartbeat), text_like(_DURATION)]
Expiry = Annotated[str, AfterValidator(_expiry), text_like(_DURATION)]
LogSize = Annotated[str, AfterValidator(_log_size), text_like(_SIZE)]
CacheSize = Annotated[str, AfterValidator(_cache_size), text_like(_CACHE_SIZE)]
Ssid = Annotated[str, AfterValidator(_ssid)]
Secret = Annotated[SecretStr, AfterValidator(_not_empty), _SECRET]
WifiPassword = Annotated[SecretStr, AfterValidator(_wifi_password), _SECRET]
