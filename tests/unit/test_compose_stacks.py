"""What the lab's own stacks promise."""

from __future__ import annotations

import pytest

from components.compose import ComposeError, StackSpec, load, required_variables
from tests.unit.compose_goldens import STACKS, VARIABLES, loaded

COFFEE = {"product", "counter", "barista", "kitchen", "proxy", "web"}
PHONE = 2 * 1024**3


def stack(name: str) -> StackSpec:
    return loaded(STACKS / f"{name}.yml")


def published(spec: StackSpec) -> dict[int | None, str]:
    return {
        port.published: name for name, service in spec.services.items() for port in service.ports
    }


@pytest.mark.parametrize("name", ["portainer", "go_coffee"])
def test_a_stack_asks_for_nothing_that_swarm_ignores(name: str) -> None:
    assert stack(name).warnings == ()


@pytest.mark.parametrize("name", ["portainer", "go_coffee"])
def test_every_service_has_a_memory_limit_and_all_fit_on_one_phone(name: str) -> None:
    limits = [service.resources.limit_memory for service in stack(name).services.values()]
    assert None not in limits
    assert sum(limit or 0 for limit in limits) < PHONE


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("portainer", {"PORTAINER_ADMIN_PASSWORD", "PORTAINER_AGENT_SECRET"}),
        ("go_coffee", {"POSTGRES_PASSWORD", "RABBITMQ_PASSWORD", "ENTRY_ADDRESS"}),
    ],
)
def test_no_password_has_a_default(name: str, wanted: set[str]) -> None:
    text = (STACKS / f"{name}.yml").read_text(encoding="utf-8")
    assert required_variables(text, source=name) == wanted
    with pytest.raises(ComposeError) as caught:
        load(text, source=name, stack=name, variables={}, read=lambda path: path)
    for variable in wanted:
        assert variable in str(caught.value)


def test_portainer_has_an_agent_everywhere_and_its_server_on_a_manager() -> None:
    spec = stack("portainer")
    assert set(spec.services) == {"agent", "portainer"}
    assert spec.services["agent"].mode == "global"
    assert spec.services["portainer"].placement.constraints == ("node.role == manager",)
    assert published(spec) == {9000: "portainer"}
    assert "shop_data" in [mount.source for mount in spec.services["portainer"].mounts]


def test_portainers_password_comes_from_a_secret_and_stands_nowhere_else() -> None:
    spec = stack("portainer")
    password = VARIABLES["PORTAINER_ADMIN_PASSWORD"]
    secret = spec.secrets["portainer_admin"]
    assert (secret.external, secret.data) == (False, password.encode())
    assert [used.source for used in spec.services["portainer"].secrets] == ["portainer_admin"]
    assert (
        "--admin-password-file=/run/secrets/portainer_admin" in spec.services["portainer"].command
    )
    for service in spec.services.values():
        assert password not in f"{service} {dict(service.environment)}"


def test_go_coffee_publishes_only_what_a_person_opens() -> None:
    assert published(stack("go_coffee")) == {5000: "proxy", 8888: "web", 15672: "rabbitmq"}


def test_the_page_calls_the_proxy_where_a_browser_reaches_it() -> None:
    web = stack("go_coffee").services["web"]
    assert web.environment["REVERSE_PROXY_URL"] == "http://192.168.8.11:5000"


def test_the_database_stays_where_its_volume_is() -> None:
    postgres = stack("go_coffee").services["postgres"]
    assert [mount.source for mount in postgres.mounts] == ["shop_postgres"]
    assert postgres.placement.constraints == ("node.labels.storage == true",)


def test_coffee_waits_for_database_and_broker_whose_health_is_told() -> None:
    services = stack("go_coffee").services
    assert set(services) == COFFEE | {"postgres", "rabbitmq"}
    for name in ("counter", "barista", "kitchen"):
        assert {"postgres", "rabbitmq"} <= set(services[name].depends_on)
    for name in ("postgres", "rabbitmq"):
        check = services[name].healthcheck
        assert check is not None
        assert (check.start_period or 0) >= 180 * 10**9
        assert (check.interval or 0) <= 10 * 10**9
    assert all(services[name].healthcheck is None for name in COFFEE)
