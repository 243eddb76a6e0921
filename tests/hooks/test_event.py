"""What is sent: CloudEvents by their own library, CDEvents by their specification."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event

from artreg.core.record import Action
from artreg.frozen import replace
from artreg.hooks.event import CONTENT_TYPE, event_of, sample_event, source_of
from artreg.registry.freeze import freeze
from artreg.registry.history import require_head
from artreg.registry.rollback import rollback
from registry.bench import CHURN, FREE, Bench

SOURCE = "https://models.example.org/registry"

CONTEXT = {"version", "id", "source", "type", "timestamp"}
"""What CDEvents 0.4.1 demand of every event; no other key of a context is sent."""

CDEVENT = re.compile(r"dev\.cdevents\.service\.(deployed|upgraded|rolledback)\.0\.2\.0")
CUSTOM = re.compile(r"dev\.cdeventsx\.[a-zA-Z0-9]+-[a-zA-Z]+\.[a-zA-Z]+\.[0-9]\.[0-9]\.[0-9]")


def told(bench: Bench) -> dict[str, Any]:
    """The event of the newest record, as the library of CloudEvents reads it."""
    head = require_head(bench.registry, CHURN, FREE)
    return read(event_of(SOURCE, head.record, head.sha256).body)


def read(body: bytes) -> dict[str, Any]:
    event = from_http_event(HTTPMessage({"content-type": CONTENT_TYPE}, body))
    found = json.loads(body)
    assert event.get_specversion() == "1.0"
    assert event.get_id() == found["id"]
    assert event.get_source() == found["source"]
    assert event.get_type() == found["type"]
    assert event.get_subject() == found["subject"]
    assert event.get_time() == datetime.fromisoformat(found["time"])
    assert event.get_data() == found["data"]
    check_cdevent(found)
    return found


def check_cdevent(event: dict[str, Any]) -> None:
    """Hold an event against the specification of CDEvents, and of their binding to CloudEvents."""
    data = event["data"]
    assert set(data) == {"context", "subject", "customData", "customDataContentType"}
    context, subject = data["context"], data["subject"]
    assert set(context) == CONTEXT
    for name in ("id", "source", "type"):
        assert context[name] == event[name]
    assert (context["timestamp"], context["version"]) == (event["time"], "0.4.1")
    assert (subject["id"], set(subject)) == (event["subject"], {"id", "type", "content"})
    assert set(subject["content"]) <= {"environment", "artifactId"}
    assert set(subject["content"]["environment"]) == {"id"}
    if event["type"].startswith("dev.cdevents."):
        assert CDEVENT.fullmatch(event["type"])
        assert subject["type"] == "service"
        assert set(subject["content"]) == {"environment", "artifactId"}
    else:
        assert CUSTOM.fullmatch(event["type"])
        assert re.fullmatch("[a-zA-Z0-9]+-[a-zA-Z]+", subject["type"])


def test_moves_are_services_that_are_deployed_upgraded_and_rolled_back(bench: Bench) -> None:
    types = []
    for move in (
        lambda: bench.promote("1.0.0"),
        lambda: bench.promote("1.1.0", reason="better"),
        lambda: rollback(bench.registry, CHURN, FREE, bench.policy),
    ):
        move()
        types.append(told(bench)["type"].split(".")[3])
    assert types == ["deployed", "upgraded", "rolledback"]


def test_an_event_says_what_moved_where_and_why(bench: Bench) -> None:
    bench.promote("1.0.0")
    bench.promote("1.1.0", reason="better")
    head = require_head(bench.registry, CHURN, FREE)
    event = told(bench)
    assert event["id"] == head.sha256
    assert event["source"] == f"{SOURCE}/demo/churn/free"
    assert event["sequence"] == "00000002"
    assert event["time"] == head.record.time
    content = event["data"]["subject"]["content"]
    assert content["environment"] == {"id": "free"}
    assert content["artifactId"] == f"pkg:generic/demo/churn@1.1.0?checksum=sha256:{head.record.digest}"
    custom = event["data"]["customData"]
    assert (custom["version"], custom["previous_version"], custom["why"]) == ("1.1.0", "1.0.0", "better")
    assert (custom["who"], custom["action"], custom["generation"]) == ("ada", "promote", 2)


def test_the_same_record_gives_the_same_bytes(bench: Bench) -> None:
    bench.promote("1.0.0")
    head = require_head(bench.registry, CHURN, FREE)
    assert event_of(SOURCE, head.record, head.sha256) == event_of(SOURCE, head.record, head.sha256)


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.FENCE])
def test_every_action_that_a_hook_may_ask_for_has_an_event(bench: Bench, action: Action) -> None:
    bench.promote("1.0.0")
    head = require_head(bench.registry, CHURN, FREE)
    found = read(event_of(SOURCE, replace(head.record, action=action), head.sha256).body)
    assert found["data"]["customData"]["action"] == action.value


def test_a_freeze_is_no_deployment(bench: Bench) -> None:
    bench.promote("1.0.0")
    freeze(bench.registry, CHURN, FREE, until=datetime(2027, 1, 1, tzinfo=UTC), reason="holidays")
    assert told(bench)["type"] == "dev.cdeventsx.artreg-alias.frozen.0.1.0"


def test_a_test_cannot_be_taken_for_a_move(bench: Bench) -> None:
    bench.promote("1.0.0")
    record = require_head(bench.registry, CHURN, FREE).record
    for known in (record, None):
        sample = read(sample_event(bench.registry, SOURCE, CHURN, FREE, known).body)
        assert sample["type"] == "dev.cdeventsx.artreg-hook.tested.0.1.0"
        assert sample["data"]["customData"]["test"] is True
        assert sample["id"].startswith("test-")
        assert "sequence" not in sample


def test_what_comes_from_outside_is_ascii_on_the_way(bench: Bench) -> None:
    bench.promote("1.0.0", reason='größer\x1b[31m"')
    head = require_head(bench.registry, CHURN, FREE)
    assert event_of(SOURCE, head.record, head.sha256).body.isascii()
    assert told(bench)["data"]["customData"]["why"] == 'größer\x1b[31m"'


def test_a_folder_is_named_by_its_whole_path(bench: Bench, tmp_path, monkeypatch) -> None:
    from artreg.registry.handle import Registry
    from artreg.store.local import LocalStore

    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").mkdir()
    registry = Registry(LocalStore(tmp_path / "a b"))
    assert source_of(registry) == (tmp_path / "a b").resolve().as_uri()
    assert source_of(registry, "urn:models/") == "urn:models"
    assert source_of(bench.registry).startswith("memory://")
