"""A stack's services as the lab's routing wants them. Pure."""

from __future__ import annotations

from dataclasses import replace

from components.compose import Service, StackSpec

from .placement import PHONE_LABEL


def routed(spec: StackSpec, routing: str, entry_phone: str) -> StackSpec:
    """The stack with each service as ``routing`` wants it.

    ``host``: without ip_vs there are neither virtual addresses nor a mesh, so names resolve to
    tasks and ports are those of the entry phone itself, where an update must stop first.
    """
    if routing != "host":
        return spec
    services = {key: _on_hosts(service, entry_phone) for key, service in spec.services.items()}
    return replace(spec, services=services)


def impossible(spec: StackSpec, routing: str, entry_phone: str) -> list[str]:
    """A line for each service that could never run as ``routing`` has it."""
    if routing != "host":
        return []
    return [
        f"stacks.{spec.name}: services.{service.name}: routing: host publishes its ports on "
        f"{entry_phone} alone, where one task can have them and not {service.replicas}; write "
        "replicas: 1, or mode: global for one on each phone, at that one's address, or let a "
        "service with ports stand before this one"
        for service in spec.services.values()
        if service.ports and service.mode == "replicated" and service.replicas > 1
    ]


def _on_hosts(service: Service, entry_phone: str) -> Service:
    changed = replace(service, endpoint_mode="dnsrr")
    if not service.ports:
        return changed
    changed = replace(
        changed,
        ports=tuple(replace(port, mode="host") for port in service.ports),
        update=replace(service.update, order="stop-first"),
        rollback=replace(service.rollback, order="stop-first"),
    )
    if service.mode == "replicated":
        constraint = f"node.labels.{PHONE_LABEL} == {entry_phone}"
        placement = replace(
            service.placement, constraints=(*service.placement.constraints, constraint)
        )
        changed = replace(changed, placement=placement)
    return changed
