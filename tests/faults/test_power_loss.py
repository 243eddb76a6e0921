"""Power lost at any moment: what a disk may then hold is sound, holds what was acknowledged, and can be finished."""

from collections.abc import Iterable
from itertools import count

import pytest

from faults import power_sites
from faults.power_steps import STEPS, make_sources
from faults.power_work import Doing, Recorded, Trial, Tried, record, scratch
from sizes import FULL

ALONE = {
    "init": 60,
    "publish 1": 300,
    "publish 2": 300,
    "publish again": 45,
    "publish by link": 300,
    "promote 1 to staging": 20,
    "promote 2 to prod": 18,
    "rollback": 17,
    "yank": 19,
    "unyank": 9,
    "approve": 9,
    "revoke": 9,
    "policy push": 11,
    "data snapshot": 55,
    "freeze": 10,
    "unfreeze": 10,
    "put tree": 50,
    "restore": 5,
}
"""How many states are tried of each command at least; how many there are depends on how threads take turns."""
QUICK = {"init": 30, "publish 1": 30, "promote 1 to staging": 12, "yank": 12}
DYING = {"publish 1": 1500, "promote 1 to staging": 200, "yank": 200, "unyank": 40, "policy push": 40}

BUILT_UPON = [("publish 2", "promote 2 to staging"), ("publish 2", "yank")]
"""Commands that find what one before them did that died."""

WEAK = {  # what each fsync is for: a scenario that goes wrong without it
    "copying._copy_small#1": [Doing("publish 1")],
    "copying.copy#1": [Doing("publish 1")],
    "copying.link_hashed#1": [Doing("publish by link")],
    "copying.write_hashed#1": [Doing("publish 1")],
    "local_tree.fill#1": [Doing("publish 1")],
    "local.put_tree#1": [Doing("put tree", dies="sync -1"), Doing("put tree")],
    "local.put_tree#2": [Doing("publish 1")],
    "local_root.make_root#1": [Doing("init", dies="sync 1"), Doing("init")],
    "local_root.make_root#2": [Doing("init")],
    "local_root._make_folder#1": [Doing("init", dies="sync 2"), Doing("publish 1")],
    "local_root._make_folder#2": [Doing("publish 1")],
    "local.create#1": [Doing("promote 1 to staging")],
    "local.create#2": [Doing("promote 1 to staging")],
    "local.point#1": [Doing("promote 1 to staging")],
    "local.restore#1": [Doing("restore")],
    "local.delete#1": [Doing("gc")],
    "local_leftovers.discard#1": [Doing("publish 1", dies="sync -1"), Doing("gc")],
    "move.stay#1": [Doing("promote 1 to staging", dies="sync -1"), Doing("promote 1 to staging")],
    "publish._existing#1": [Doing("publish 1", dies="sync -1"), Doing("publish 1")],
    "snapshot_taking.take#1": [Doing("data snapshot", dies="sync -1"), Doing("data snapshot")],
    "stored_policy.push_policy#1": [Doing("policy push", dies="sync -1"), Doing("policy push")],
    "version_log.append_next#1": [Doing("unyank", dies="sync -1"), Doing("unyank")],
}
FOR_SPEED = {"copying.write_hashed in a thread"}
"""What is synced again before it counts: this only lets the disk begin sooner."""


@pytest.fixture(scope="module")
def make():
    """Carries out a scenario."""
    with scratch() as folder:
        sources, numbers = make_sources(folder / "sources"), count()
        yield lambda doings, before=None: record(folder / str(next(numbers)), sources, doings, before)


def tried_in(name: str, scenarios: Iterable[Recorded], bound: int) -> Tried:
    tried, number = Tried(), 0
    for recorded in scenarios:
        number += 1
        Trial(recorded, bound=bound).run(tried)
    print(f"{name}: {number} records, {len(tried.states)} states after a loss of power, {len(tried.bad)} bad")
    assert tried.bad == []
    return tried


@pytest.mark.parametrize(("step", "least"), ALONE.items() if FULL else QUICK.items())
def test_power_lost_during_a_command(make, step, least):
    tried = tried_in(step, [make([Doing(step)])], bound=56 if FULL else 3)
    assert len(tried.states) >= least


def test_power_lost_during_gc(make):
    scenario = [Doing("publish 2", dies="sync -1"), Doing("gc")]
    tried = tried_in("gc", [make(scenario, ["init", "publish 1", "spend"])], bound=48 if FULL else 1)
    assert len(tried.states) >= (300 if FULL else 3)


@pytest.mark.parametrize(("step", "least"), DYING.items() if FULL else [("policy push", 3)])
def test_power_lost_after_a_command_died_and_was_run_again(make, step, least):
    calls = range(1, len(make([Doing(step)]).calls) + 1, 1 if FULL else 3)
    scenarios = (make([Doing(step, dies=call), Doing(step)]) for call in calls)
    tried = tried_in(f"{step}, died at every call and run again", scenarios, bound=6 if FULL else 1)
    assert len(tried.states) >= least


@pytest.mark.parametrize(("step", "following"), BUILT_UPON)
def test_power_lost_after_one_command_built_on_another_that_died(make, step, following):
    scenario = make([Doing(step, dies="sync -1"), Doing(following)])
    tried = tried_in(f"{step}, died at its last fsync, then {following}", [scenario], bound=40 if FULL else 1)
    assert len(tried.states) >= (150 if FULL else 4)


def test_every_fsync_is_known():
    """Whoever adds one says what it is for."""
    assert set(power_sites.sites().values()) == {*WEAK, *FOR_SPEED}


@pytest.mark.parametrize("name", WEAK)
def test_every_fsync_is_needed(make, name):
    site = next(site for site, found in power_sites.sites().items() if found == name)
    recorded = make(WEAK[name])
    assert not Trial(recorded, bound=2).is_caught(Tried(), at_rest=True)
    assert Trial(recorded, ignored=site, bound=2).is_caught(Tried())


@pytest.mark.parametrize("step", sorted({*STEPS} - {"spend", "spoil", "gc"}) if FULL else ["policy push"])
def test_a_command_whose_fsync_fails_says_so(make, step):
    scenarios = (make([Doing(step, fails=number)]) for number in range(len(make([Doing(step)]).syncs)))
    tried_in(f"{step}, whose every fsync failed", scenarios, bound=2)
