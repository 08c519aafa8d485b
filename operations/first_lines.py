"""What the lab's file must say before its first phone can be adopted: a part of it only.

The rest may still be wrong or missing, as it is where somebody has just begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from components.config import addresses, fields
from components.config.model import PhoneSsh, WrittenSsh, WrittenWifi
from components.config.problems import Problem, describe

from .errors import OperationError


class _Part(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="ignore", alias_generator=to_camel, hide_input_in_errors=True
    )


class KnownPhone(_Part):
    """What is known of a phone so far."""

    address: addresses.PhoneAddress | None = None
    host_key: fields.HostKey | None = None
    ssh: PhoneSsh | None = None


class FirstLines(_Part):
    """The keys that are needed, and the phones that there are."""

    ssh: WrittenSsh = Field(
        description="how phones are logged into, as in {user: cloudlet, "
        "privateKeyFile: ~/.ssh/id_ed25519}"
    )
    password: fields.Secret | None = None
    wifi: WrittenWifi | None = None
    wifi_password: fields.WifiPassword | None = None
    phones: dict[fields.PhoneName, KnownPhone] = Field(default_factory=dict[str, KnownPhone])


def read(values: Mapping[str, Mapping[str, Any]]) -> FirstLines:
    """The part that is needed, out of the keys as Pulumi gives them.

    Raises:
        OperationError: with one line for each mistake in it.
    """
    raw = {key: value.get("objectValue", value["value"]) for key, value in values.items()}
    try:
        lines = FirstLines.model_validate(raw)
    except ValidationError as error:
        problems = describe(error, FirstLines)
        raise OperationError("\n".join(str(problem) for problem in problems)) from None
    if lines.wifi is not None and lines.wifi_password is None:
        text = "is missing, and wifi needs it: pulumi config set --secret cloudlet:wifiPassword"
        raise OperationError(str(Problem(path=("wifiPassword",), text=text)))
    return lines
