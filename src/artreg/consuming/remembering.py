"""What references meant when they were last asked about: all there is to go by where the registry cannot be asked.

The digest that is remembered is that of the version's manifest, which names the digests of all its files, so that what
is taken from the cache by it is that very version. Only whether an alias has moved since nobody can tell: whoever is
told of the version is told how old the answer is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from artreg.consuming.cache import Cache, listed
from artreg.consuming.handle import Consumer
from artreg.core import canonical
from artreg.core.ages import shown
from artreg.core.names import Alias, ModelName, Reference, parse_target
from artreg.core.strict import parse_strictly, typed
from artreg.core.version import Version
from artreg.errors import IntegrityError, NotFound
from artreg.frozen import Frozen
from artreg.plainfile import read_plain
from artreg.registry.demands import Demands
from artreg.registry.handle import Registry
from artreg.registry.resolve import Resolved, pinned
from artreg.registry.resolve import resolve as ask
from artreg.store.interface import READ_LIMIT

FORMAT = "artreg/resolved/1"


class Remembered(Frozen):
    """What a reference meant.

    Attributes:
        registry: In which registry: its root, and the server that it lies on where the root does not say.
        reference: What was asked about.
        version: What it meant.
        digest: The version's digest.
        generation: The number of the alias's newest move, if it is an alias.
        warning: Why the version should not be used, or ''.
        time: When that was, RFC 3339 in UTC.
    """

    registry: str
    reference: Reference
    version: Version
    digest: str
    generation: int | None
    warning: str
    time: str

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        return canonical.dumps(
            {
                "format": FORMAT,
                "registry": self.registry,
                "project": self.reference.model.project,
                "model": self.reference.model.model,
                "target": str(self.reference.target),
                "version": str(self.version),
                "digest": self.digest,
                "generation": self.generation,
                "warning": self.warning,
                "time": self.time,
            }
        )


class Known(Frozen):
    """What a reference means, and how that is known.

    Attributes:
        found: The version.
        as_of: When the registry said so, RFC 3339 in UTC, if it was not asked now; else ''.
        note: The same as a sentence, or ''.
    """

    found: Resolved
    as_of: str = ""
    note: str = ""


def resolve(consumer: Consumer, reference: Reference) -> Known:
    """Return what a reference means, and remember it where there is a cache; offline, what it meant when last asked.

    Where there is a lock, that alone says what it means, and nothing is remembered.

    Raises:
        NotFound: No such model, alias or version; or, offline, nothing is remembered of it.
        IntegrityError: What says so is damaged, or may not be believed.
    """
    registry = consumer.registry
    if registry.lock is not None:
        return Known(pinned(registry, registry.lock.find(reference)) if consumer.offline else ask(registry, reference))
    if consumer.offline:
        return _recall(consumer, reference)
    found = ask(registry, reference)
    if consumer.cache is not None:
        now = registry.timestamp()
        for meant in {reference, Reference(found.model, found.version)}:
            generation = found.generation if meant == reference else None
            remembered = Remembered(consumer.place, meant, found.version, found.digest, generation, found.warning, now)
            keep(consumer.cache, consumer.place, str(meant), remembered.encode())
    return Known(found)


def remembered_models(consumer: Consumer, alias: Alias) -> list[ModelName]:
    """Return the models of which it is remembered what an alias meant, in order.

    Raises:
        NotFound: There is none.
        InvalidInput: There is no cache.
    """
    cache, found = consumer.require_cache(), set[ModelName]()
    for name in listed(cache.place("resolved")):
        with contextlib.suppress(OSError, IntegrityError):  # what else was asked about lies there, too
            remembered = _parsed(read_plain(cache.place("resolved", name), READ_LIMIT))
            if (remembered.registry, remembered.reference.target) == (consumer.place, alias):
                found.add(remembered.reference.model)
    if not found:
        raise _forgotten(alias)
    return sorted(found, key=str)


def _recall(consumer: Consumer, reference: Reference) -> Known:
    registry, cache, place = consumer.registry, consumer.require_cache(), consumer.place
    try:
        remembered = _parsed(kept(cache, place, str(reference)))
        if (remembered.registry, remembered.reference) != (place, reference):
            raise IntegrityError("what is remembered is of something else")
    except (OSError, IntegrityError) as error:
        raise _forgotten(reference) from error
    if isinstance(reference.target, Alias) and registry.demands is not None:
        _require(registry, registry.demands, remembered, reference.target)
    age = shown(registry.now() - datetime.fromisoformat(remembered.time))
    found = Resolved(
        reference.model,
        remembered.version,
        remembered.digest,
        reference.target if isinstance(reference.target, Alias) else None,
        remembered.generation,
        f"{registry.store.url}/{reference.model}/{remembered.version}",
        remembered.warning,
    )
    note = f"{reference} is {remembered.version} as of {remembered.time}, {age} ago; the registry was not asked"
    return Known(found, remembered.time, "" if reference.target == remembered.version else note)


def _require(registry: Registry, demands: Demands, remembered: Remembered, alias: Alias) -> None:
    model = remembered.reference.model
    seen = None if demands.memory is None else demands.memory.recall(model, alias)
    if seen is not None and seen.generation > (remembered.generation or 0):
        raise IntegrityError(
            f"{model}@{alias} was seen at generation {seen.generation} ({seen.version}), but what is remembered here is"
            f" {remembered.generation} ({remembered.version})",
            hint="pull it once while the registry can be asked, or name a version",
        )
    if demands.moved_by is not None:
        raise IntegrityError(
            f"nobody can look now at who moved {model}@{alias}, as moved_by demands",
            hint="name a version, or pin it with artreg lock",
        )
    age = registry.now() - datetime.fromisoformat(remembered.time)
    if demands.max_age is not None and age > demands.max_age:
        raise IntegrityError(
            f"what is remembered of {model}@{alias} is {shown(age)} old; at most {shown(demands.max_age)} is allowed",
            hint="pull it once while the registry can be asked, or name a version",
        )


def keep(cache: Cache, place: str, what: str, data: bytes) -> None:
    """Keep a document of what was asked of a registry; a cache that can only be read keeps nothing new."""
    with contextlib.suppress(OSError):
        cache.make()
        temporary = f"{_path(cache, place, what)}.{os.urandom(8).hex()}"
        try:
            with open(temporary, "xb") as file:
                file.write(data)
            os.replace(temporary, _path(cache, place, what))
        except OSError:
            os.unlink(temporary)
            raise


def kept(cache: Cache, place: str, what: str) -> bytes:
    """Return the document that was kept of what was asked of a registry.

    Raises:
        OSError: There is none.
    """
    return read_plain(_path(cache, place, what), READ_LIMIT)


def _path(cache: Cache, place: str, what: str) -> str:
    return cache.place("resolved", f"{canonical.digest(f'{place} {what}'.encode())[:32]}.json")


def _forgotten(what: Reference | Alias) -> NotFound:
    return NotFound(f"nothing is remembered of what {what} meant", hint="pull it once while the registry can be asked")


def _parsed(data: bytes) -> Remembered:
    return parse_strictly(data, "what is remembered", FORMAT, _from_document)


def _from_document(document: Mapping[str, Any]) -> Remembered:
    generation = document["generation"]
    time = typed(document, "time", str)
    if datetime.fromisoformat(time).tzinfo != UTC:
        raise ValueError("time is not in UTC")
    return Remembered(
        registry=typed(document, "registry", str),
        reference=Reference(
            ModelName(typed(document, "project", str), typed(document, "model", str)),
            parse_target(typed(document, "target", str)),
        ),
        version=Version.parse(typed(document, "version", str)),
        digest=typed(document, "digest", str),
        generation=None if generation is None else typed(document, "generation", int),
        warning=typed(document, "warning", str),
        time=time,
    )
