"""What the docker stand-in plans: what changes, in place or by a new resource."""

from __future__ import annotations

from typing import Any

import pytest
from docker_plugin_samples import checked_service, stored_service

from toolchain.docker_plugin.check import Naming, check
from toolchain.docker_plugin.diff import Change, diff
from toolchain.docker_plugin.objects import network_state
from toolchain.docker_plugin.paths import keep, parse, show
from toolchain.docker_plugin.schema_objects import NETWORK, SECRET
from toolchain.docker_plugin.schema_service import SERVICE
from toolchain.plugin.properties import UNKNOWN

UPDATE = Change(kind="UPDATE")
REPLACE = Change(kind="UPDATE", replace=True)


def _change(path: str, value: Any) -> dict[str, Any]:
    news = checked_service()
    *parents, last = parse(path)
    place: Any = news
    for part in parents:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return news


def test_what_was_created_as_asked_needs_no_change() -> None:
    assert not diff(SERVICE, stored_service(), checked_service()).changes


@pytest.mark.parametrize(
    ("path", "value", "change"),
    [
        ("mode.replicated.replicas", 5, UPDATE),
        ("taskSpec.containerSpec.image", "web:2", UPDATE),
        ("taskSpec.containerSpec.env.A", "2", UPDATE),
        ("taskSpec.containerSpec.env.NEW", "1", Change(kind="ADD")),
        ("taskSpec.containerSpec.args[1]", "now", UPDATE),
        ("taskSpec.containerSpec.healthcheck.interval", "9s", UPDATE),
        ("taskSpec.containerSpec.secrets[0].secretId", "other", UPDATE),
        ("taskSpec.networksAdvanceds[0].id", "other", REPLACE),
        ("taskSpec.containerSpec.hostname", None, Change(kind="DELETE")),
        ("updateConfig.order", "stop-first", UPDATE),
        ("labels[0].value", "other", UPDATE),
        ("endpointSpec.ports[0].publishedPort", 81, UPDATE),
        ("name", "other", REPLACE),
    ],
)
def test_a_change_is_shown_where_it_is_and_replaces_only_where_it_must(
    path: str, value: Any, change: Change
) -> None:
    result = diff(SERVICE, stored_service(), _change(path, value))
    assert result.changes
    assert result.details == {path: change}
    assert bool(result.replaces) == change.replace
    assert result.delete_before_replace == change.replace


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("updateConfig.maxFailureRatio", "0"),
        ("taskSpec.restartPolicy", None),
        ("taskSpec.containerSpec.stopGracePeriod", None),
        ("taskSpec.containerSpec.readOnly", False),
        ("labels", None),
    ],
)
def test_what_means_the_same_or_is_left_to_swarm_is_no_change(path: str, value: Any) -> None:
    assert not diff(SERVICE, stored_service(), _change(path, value)).changes


def test_the_order_of_mounts_labels_and_secrets_does_not_matter() -> None:
    news = checked_service()
    news["taskSpec"]["containerSpec"]["mounts"].reverse()
    news["taskSpec"]["containerSpec"]["labels"].reverse()
    assert not diff(SERVICE, stored_service(), news).changes


def test_a_new_secret_shows_only_in_its_own_reference() -> None:
    news = _change("taskSpec.containerSpec.secrets[0].secretId", UNKNOWN)
    result = diff(SERVICE, stored_service(), news)
    assert list(result.details) == ["taskSpec.containerSpec.secrets[0].secretId"]
    assert result.replaces == []


def test_an_ignored_change_is_none() -> None:
    news = _change("taskSpec.containerSpec.image", "web:2")
    ignored = ["taskSpec.containerSpec.image"]
    assert not diff(SERVICE, stored_service(), news, ignored).changes


def test_a_partial_restart_policy_is_a_change_as_with_the_official_plugin() -> None:
    news = _change("taskSpec.restartPolicy", {"condition": "any", "__defaults": []})
    result = diff(SERVICE, stored_service(), news)
    gone = {"taskSpec.restartPolicy.delay", "taskSpec.restartPolicy.window"}
    assert result.details == dict.fromkeys(gone, Change(kind="DELETE"))
    assert result.replaces == []


def test_a_container_s_label_needs_a_new_service() -> None:
    news = _change("taskSpec.containerSpec.labels[1].value", "other")
    result = diff(SERVICE, stored_service(), news)
    assert result.replaces == ["taskSpec"]
    assert result.delete_before_replace


def test_a_secret_of_a_made_up_name_is_replaced_before_the_old_one_goes() -> None:
    naming = Naming(resource="s", seed=b"1")
    olds = {"id": "i", "name": "s-1", "data": "b25l", "labels": []}
    news = check(SECRET, {"data": "dHdv"}, {"name": "s-1", "__defaults": ["name"]}, naming).inputs
    result = diff(SECRET, olds, {**news, "data": "dHdv"})
    assert result.replaces == ["data"]
    assert not result.delete_before_replace
    assert result.stables == ["labels", "name"]


def test_an_encrypted_overlay_is_replaced_as_with_the_official_plugin() -> None:
    key = "com.docker.network.driver.overlay.vxlanid_list"
    olds = network_state(
        {
            "Id": "n",
            "Name": "n",
            "Driver": "overlay",
            "Scope": "swarm",
            "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.0.1.0/24"}]},
            "Options": {"encrypted": "", key: "4097"},
        }
    )
    news = {"name": "n", "driver": "overlay", "options": {"encrypted": ""}}
    checked = check(NETWORK, news, {}, Naming(resource="n")).inputs
    result = diff(NETWORK, olds, checked)
    assert result.details == {f'options["{key}"]': Change(kind="DELETE", replace=True)}
    assert not diff(NETWORK, olds, checked, ["options"]).changes


@pytest.mark.parametrize("text", ["a.b[0].c", 'env["a.b"].c', "labels[3]", 'x["q\\"q"]'])
def test_paths_are_read_as_they_are_written(text: str) -> None:
    assert show(parse(text)) == text


def test_a_kept_path_may_stand_for_every_element() -> None:
    old, new = {"a": [{"x": 1}, {"x": 2}]}, {"a": [{"x": 3, "y": 0}, {"x": 4}]}
    assert keep(old, new, parse("a[*].x")) == {"a": [{"x": 1, "y": 0}, {"x": 2}]}
