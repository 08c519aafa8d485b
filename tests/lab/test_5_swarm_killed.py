"""The engine killed with -9 in the midst of each change of the swarm, and two `up` at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import swarmkit
from labkit import Lab
from swarmkit import KEEPER, USUAL, configure, make_whole, running, settle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[Lab]:
    """Killed while the swarm is made, and again while the second phone joins it."""
    configure(lab)
    lab.kill_up_when("SwarmInit swarm-init creating", later=0.3)
    lab.kill_up_when("Membership swarm-phone-2 creating", later=0.3)
    with swarmkit.cluster(lab) as made:
        yield made


def test_a_swarm_whose_making_and_joining_was_killed_is_one_swarm(cluster: Lab) -> None:
    settle(cluster)


# How far a change of some seconds has come when it is cut off.
MOMENTS = (0.1, 0.8)


@pytest.mark.parametrize("later", MOMENTS)
def test_a_promotion_that_is_killed_goes_on(cluster: Lab, later: float) -> None:
    make_whole(cluster)
    configure(cluster, {**USUAL, "phone-3": "worker", "phone-4": "manager"})
    cluster.kill_up_when("Membership swarm-phone-4 updating", later=later)
    settle(cluster)


@pytest.mark.parametrize("later", MOMENTS)
def test_a_demotion_that_is_killed_goes_on(cluster: Lab, later: float) -> None:
    make_whole(cluster)
    configure(cluster, {**USUAL, "phone-3": "worker", "phone-2": "worker"})
    cluster.kill_up_when("Membership swarm-phone-3 updating", later=later)
    settle(cluster)


def test_after_a_change_that_was_killed_nothing_is_shown_of_what_is_as_it_was(
    cluster: Lab,
) -> None:
    make_whole(cluster)
    configure(cluster, {**USUAL, "phone-3": "worker"})
    cluster.kill_up_when("Membership swarm-phone-3 updating", later=0.1)
    shown = cluster.up().ok().output
    assert "The last run was cut off in swarm-phone-3: reading the phones anew." in shown
    assert "refreshing" not in shown
    settle(cluster)


@pytest.mark.parametrize("later", MOMENTS)
def test_a_removal_that_is_killed_goes_on_and_so_does_the_join_after_it(
    cluster: Lab, later: float
) -> None:
    make_whole(cluster)
    configure(cluster, {name: USUAL[name] for name in ("phone-1", "phone-2", "phone-4")})
    cluster.kill_up_when("Membership swarm-phone-3 deleting", later=later)
    settle(cluster)
    configure(cluster)
    cluster.kill_up_when("Membership swarm-phone-3 creating", later=later)
    settle(cluster)


def test_a_removal_that_is_killed_while_tasks_leave_the_phone_goes_on(cluster: Lab) -> None:
    make_whole(cluster)
    leaver = min(set(running(cluster)["still_web"]) - {KEEPER})
    configure(cluster, {name: role for name, role in USUAL.items() if name != leaver})
    cluster.kill_up_when(f"{leaver}: 1 task left")
    settle(cluster)


def test_the_second_of_two_ups_is_told_who_runs_the_first(cluster: Lab) -> None:
    make_whole(cluster)
    configure(cluster, {**USUAL, "phone-3": "worker"})
    with cluster.running_up("Membership swarm-phone-3 updating"):
        second = cluster.up()
    assert second.status != 0
    assert re.search(
        r"stack dev is held by a running pulumi: \S+@\S+, process \d+, since \S+. Wait for it to "
        "end; if it is dead, run `pulumi cancel`",
        second.output,
    )
    assert "Traceback" not in second.output
    settle(cluster)


def test_of_two_ups_at_the_same_instant_one_is_told_who_runs_the_other(cluster: Lab) -> None:
    make_whole(cluster)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: cluster.up(), range(2)))
    (refused,) = (run for run in runs if run.status != 0)
    assert re.search(r"stack dev is held by a running pulumi: \S+@\S+, process \d+", refused.output)
    assert "currently locked" not in refused.output
    settle(cluster)


def test_a_destroy_that_is_killed_goes_on_without_pulumis_warnings(cluster: Lab) -> None:
    make_whole(cluster)
    cluster.kill_up_when("Membership swarm-phone-2 deleting", later=0.3, command="destroy")
    done = cluster.destroy().ok()
    assert "The last run was cut off in swarm-phone-2: this is done again." in done.output
    assert "pending operations" not in done.output
    assert "AWS" not in done.output
