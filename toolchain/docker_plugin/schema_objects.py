"""The properties of networks, secrets and configs, as pulumi-docker 5.1.0 has them."""

from __future__ import annotations

from typing import Final

from .schema import Attr, Block, Resource
from .validators import standard_base64


def labels_block(force_new: bool) -> Block:
    """A label and its value; `force_new` where a change of either needs a new resource."""
    return {
        "label": Attr(kind="string", required=True, force_new=force_new),
        "value": Attr(kind="string", required=True, force_new=force_new),
    }


_FIXED_LABELS: Final = Attr(kind="set", force_new=True, block=labels_block(True))
_NAME: Final = Attr(kind="string", required=True, force_new=True)

_IPAM_CONFIG: Final[Block] = {
    "auxAddress": Attr(kind="map", force_new=True),
    "gateway": Attr(kind="string", force_new=True),
    "ipRange": Attr(kind="string", force_new=True),
    "subnet": Attr(kind="string", force_new=True),
}

NETWORK: Final = Resource(
    token="docker:index/network:Network",
    title="network",
    schema_version=1,
    attrs={
        "attachable": Attr(kind="bool", force_new=True),
        "driver": Attr(kind="string", computed=True, force_new=True),
        "ingress": Attr(kind="bool", force_new=True),
        "internal": Attr(kind="bool", computed=True, force_new=True),
        "ipamConfigs": Attr(
            kind="set", computed=True, force_new=True, block=_IPAM_CONFIG, tf="ipam_config"
        ),
        "ipamDriver": Attr(kind="string", force_new=True, default="default"),
        "ipamOptions": Attr(kind="map", force_new=True),
        "ipv6": Attr(kind="bool", force_new=True),
        "labels": _FIXED_LABELS,
        "name": _NAME,
        "options": Attr(kind="map", computed=True, force_new=True),
        "scope": Attr(kind="string", computed=True, output=True),
    },
)

SECRET: Final = Resource(
    token="docker:index/secret:Secret",
    title="secret",
    schema_version=1,
    attrs={
        "data": Attr(
            kind="string", required=True, force_new=True, sensitive=True, validate=standard_base64
        ),
        "labels": _FIXED_LABELS,
        "name": _NAME,
    },
)

CONFIG: Final = Resource(
    token="docker:index/serviceConfig:ServiceConfig",
    title="config",
    exactly_one_of=("data", "dataRaw"),
    attrs={
        "data": Attr(kind="string", force_new=True, validate=standard_base64),
        "dataRaw": Attr(kind="string", force_new=True),
        "labels": _FIXED_LABELS,
        "name": _NAME,
    },
)
