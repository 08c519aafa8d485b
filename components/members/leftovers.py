"""What an `up` that was killed left in the swarm without Pulumi knowing of it.

Docker refuses a second object of the same name, so a create would fail for ever. Before one, an
object of that name which carries this stack's label is taken away; anything else is left alone
and Docker's own refusal stands. Volumes are never touched.
"""

from __future__ import annotations

from typing import Any

import pulumi

from components.hooks import in_thread
from components.remote.engine_api import EngineError
from components.remote.ssh import PhoneError

from .managers import Access, manager_of

NAMESPACE = "com.docker.stack.namespace"


def remove_leftover(kind: str, name: str, stack: str, access: Access) -> pulumi.ResourceHookBinding:
    """A hook that runs before a create. ``kind``: services, networks, secrets or configs."""

    async def before_create(_args: pulumi.ResourceHookArgs) -> None:
        known = await pulumi.Output.from_input(access.to_inputs()).future()
        if known is not None:
            await in_thread(_remove, kind, name, stack, known)

    hook = pulumi.ResourceHook(f"{name}-{kind}-leftover", before_create)
    return pulumi.ResourceHookBinding(before_create=[hook])


def _remove(kind: str, name: str, stack: str, access: dict[str, Any]) -> None:
    with manager_of(access) as manager:
        for item in manager.get(f"/{kind}", filters={"name": [name]}):
            holder: dict[str, Any] = item.get("Spec") or item
            labels: dict[str, str] = holder.get("Labels") or {}
            if _name(item) == name and labels.get(NAMESPACE) == stack:
                try:
                    manager.delete(f"/{kind}/{item.get('ID') or item['Id']}")
                except EngineError as error:
                    if "in use" in error.reason:
                        raise PhoneError(_in_use(kind, name, stack, manager.phone)) from None
                    if error.status != 404:
                        raise


def _in_use(kind: str, name: str, stack: str, phone: str) -> str:
    remedy = (
        f"if it is nobody's, run `docker stack rm {stack}` on {phone} and then `pulumi up` again"
    )
    if kind == "networks":
        return (
            f"the network {name} is there already and in use. If its settings were changed: Swarm "
            f"changes no network, so take the stack {stack} out of cloudlet:stacks for one "
            f"`pulumi up`; {remedy}"
        )
    return (
        f"{name} is there already and in use, though this Pulumi stack does not know it; {remedy}"
    )


def _name(item: dict[str, Any]) -> str:
    return item.get("Name") or item["Spec"]["Name"]
