"""Moves as CloudEvents, whose data are CDEvents.

One record gives one event: the same bytes whoever makes it and however often, so that a receiver that gets it twice
knows it by its id. It is sent whole, in the structured mode of CloudEvents, since a signature covers the body alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from artreg.core import keys
from artreg.core.names import Alias, ModelName
from artreg.core.record import Action, PromotionRecord
from artreg.core.version import Version
from artreg.frozen import Frozen
from artreg.registry.handle import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
CDEVENTS = "0.4.1"
"""The version of the CDEvents specification by which events are made."""

TEST = "dev.cdeventsx.artreg-hook.tested.0.1.0"
"""The type of an event that only tries a hook out: no receiver takes it for a move."""

_SERVICE = "dev.cdevents.service.{}.0.2.0"
_OWN = "dev.cdeventsx.artreg-alias.{}.0.1.0"
_SAID = {Action.YANK: "yanked", Action.FREEZE: "frozen", Action.UNFREEZE: "unfrozen", Action.CONFIRM: "confirmed"}


class Event(Frozen):
    """What is sent.

    Attributes:
        id: What it is known by: of two with the same id one is enough.
        type: What it tells of, as CDEvents call it.
        body: The CloudEvent as JSON.
    """

    id: str
    type: str
    body: bytes


def source_of(registry: Registry, named: str | None = None) -> str:
    """Return what a registry is called in events: a URI, of a folder its absolute one.

    Args:
        registry: The registry.
        named: What the hooks file calls it, if it does.
    """
    url = registry.store.url
    return (named or (url if "://" in url else Path(url).resolve().as_uri())).rstrip("/")


def event_of(source: str, record: PromotionRecord, sha256: str) -> Event:
    """Return the event that tells of a record.

    Args:
        source: What the registry is called.
        record: The record.
        sha256: Of its bytes: the id of the event.
    """
    told = {
        "project": record.model.project,
        "model": record.model.model,
        "alias": str(record.alias),
        "action": record.action.value,
        "generation": record.generation,
        "version": _text(record.version),
        "digest": record.digest,
        "previous_version": _text(record.previous_version),
        "who": record.who,
        "why": record.why,
        "record": sha256,
    }
    event = _event(_Occurrence(sha256, _type(record), record.time, record.model, record.alias), source, told)
    event["sequence"] = f"{record.generation:08d}"
    return _encoded(event)


def sample_event(
    registry: Registry, source: str, model: ModelName, alias: Alias, record: PromotionRecord | None
) -> Event:
    """Return an event that tries a hook out, and cannot be taken for a move.

    Args:
        registry: The registry.
        source: What it is called.
        model: The model that it names.
        alias: The alias that it names.
        record: Where the alias stands, if it was ever set.
    """
    told = {
        "test": True,
        "project": model.project,
        "model": model.model,
        "alias": str(alias),
        "version": _text(record.version) if record else None,
        "digest": record.digest if record else None,
        "generation": record.generation if record else 0,
        "who": registry.actor,
        "why": "this is only a test of the hook: nothing was moved",
    }
    what = _Occurrence(f"test-{registry.new_id()}", TEST, registry.timestamp(), model, alias)
    return _encoded(_event(what, source, told))


class _Occurrence(Frozen):
    id: str
    type: str
    time: str
    model: ModelName
    alias: Alias


def _type(record: PromotionRecord) -> str:
    """Return the type: a service is deployed, upgraded, rolled back; for what artreg alone knows CDEvents has none."""
    if record.action is Action.ROLLBACK:
        return _SERVICE.format("rolledback")
    if record.action is Action.PROMOTE:
        return _SERVICE.format("deployed" if record.previous_version is None else "upgraded")
    return _OWN.format(_SAID[record.action])


def _event(what: _Occurrence, registry: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return a CloudEvent. Each alias is a source of its own, since the sequence of events is that of a source."""
    source, subject = f"{registry}/{keys.pointer_key(what.model, what.alias)}", str(what.model)
    content: dict[str, Any] = {"environment": {"id": str(what.alias)}}
    if told["version"] is not None:
        content["artifactId"] = _purl(what.model, told["version"], told["digest"])
    context = {"version": CDEVENTS, "id": what.id, "source": source, "type": what.type, "timestamp": what.time}
    return {
        "specversion": "1.0",
        "id": what.id,
        "source": source,
        "type": what.type,
        "subject": subject,
        "time": what.time,
        "datacontenttype": "application/json",
        "data": {
            "context": context,
            "subject": {"id": subject, "type": what.type.split(".")[2], "content": content},
            "customData": told,
            "customDataContentType": "application/json",
        },
    }


def _encoded(event: dict[str, Any]) -> Event:
    body = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return Event(event["id"], event["type"], body.encode("ascii"))


def _purl(model: ModelName, version: str, digest: str) -> str:
    """Return a version as a package URL; the checksum is that of its manifest, which holds those of all its files."""
    return f"pkg:generic/{quote(model.project)}/{quote(model.model)}@{quote(version)}?checksum=sha256:{digest}"


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
