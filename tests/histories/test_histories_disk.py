"""Histories of registries on a disk: each could have come about one call after the other."""

import pytest

from artreg.registry.doctor import diagnose
from artreg.registry.handle import Registry
from histories.broken import BROKEN, CheckThenAct, LateList
from histories.clients import Place, Task
from histories.contract import HistoriesContract
from histories.judged import CALLS, YANKS, found_out
from sizes import FULL, size


@pytest.fixture
def place(tmp_path):
    return lambda number: Place(str(tmp_path / str(number)))


class TestOnADisk(HistoriesContract):
    where = "a disk"
    random = size(3, 60, 650)
    judged = size(2, 20, 200)


FEW = ["creating looks first and acts later", "lists come late"]
MORE = ["creating overwrites", "creating only pretends", "movers say nothing beforehand"]


@pytest.mark.parametrize("broken", [*FEW, *(MORE if FULL else [])])
def test_what_is_broken_is_found_out(crowd, place, sources, broken):
    calls = {"calls": YANKS, "versions": ("1.0.0", "1.1.0")} if broken in MORE[2:] else {}
    assert found_out(crowd, Task(place(0), sources, broken, CALLS, broken=broken, **calls), 60, place)


@pytest.mark.parametrize("broken", [*FEW, *MORE[:2]])
def test_the_doctor_finds_it_out_too(local_store, broken, monkeypatch):
    monkeypatch.setattr(CheckThenAct, "pause", 0.2)  # however busy the machine is
    monkeypatch.setattr(LateList, "late", 30.0)
    wrap, _ = BROKEN[broken]
    assert not all(finding.ok for finding in diagnose(Registry(wrap(local_store))))
