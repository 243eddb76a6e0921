"""What a hook was told of an alias: up to which record, and what stands in the way of the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from artreg.core import canonical
from artreg.core.names import Alias, ModelName, is_name
from artreg.core.strict import parse_strictly, typed
from artreg.errors import IntegrityError, InvalidInput
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "artreg/hook/1"
_SEAL = "hook_digest"


class Failure(Frozen):
    """That an event could not be delivered, so far.

    Attributes:
        generation: The number of its record.
        attempts: How often it was tried.
        since: When it failed first, RFC 3339 in UTC.
        time: When it failed last.
        message: What went wrong the last time.
    """

    generation: int
    attempts: int
    since: str
    time: str
    message: str

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "generation": self.generation,
            "attempts": self.attempts,
            "since": self.since,
            "time": self.time,
            "message": self.message,
        }


class Skipped(Frozen):
    """That events were passed over on purpose.

    Attributes:
        first: The number of the first record that the hook was not told of.
        last: The number of the last.
        who: Who passed over them.
        time: When, RFC 3339 in UTC.
        why: Why, or ''.
    """

    first: int
    last: int
    who: str
    time: str
    why: str

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"first": self.first, "last": self.last, "who": self.who, "time": self.time, "why": self.why}


class Told(Frozen):
    """What a hook was told of an alias.

    Attributes:
        hook: The hook's name.
        model: The model.
        alias: The alias.
        generation: The number of the record up to which it was told all that it asks for; 0 before the first.
        record: The sha256 of that record, so that a history that was rewritten shows; None before the first.
        time: When this was written, RFC 3339 in UTC.
        failure: What stands in the way of the next event, if anything does.
        write_id: Random, so that a writer knows its own document when it meets it.
        skipped: What was passed over on purpose, oldest first.
    """

    hook: str
    model: ModelName
    alias: Alias
    generation: int
    record: str | None
    time: str
    failure: Failure | None
    write_id: str
    skipped: tuple[Skipped, ...] = ()

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        body: dict[str, Any] = {
            "format": FORMAT,
            "hook": self.hook,
            "project": self.model.project,
            "model": self.model.model,
            "alias": str(self.alias),
            "generation": self.generation,
            "record": self.record,
            "time": self.time,
            "failure": None if self.failure is None else self.failure.document(),
            "write_id": self.write_id,
        }
        if self.skipped:  # which documents that are older than it do not say
            body["skipped"] = [one.document() for one in self.skipped]
        return canonical.dumps({**body, _SEAL: canonical.digest(canonical.dumps(body))})


def parse_told(data: bytes, hook: str, model: ModelName, alias: Alias) -> Told:
    """Read what a hook was told strictly.

    Args:
        data: The bytes.
        hook: The hook in whose folder they lie.
        model: The model in whose folder they lie.
        alias: The alias in whose folder they lie.

    Raises:
        IntegrityError: They are damaged, were altered, or belong elsewhere.
    """
    what = f"what hook {hook} was told of {alias} of {model}"
    told = parse_strictly(data, what, FORMAT, _from_document)
    if (told.hook, told.model, told.alias) != (hook, model, alias):
        raise IntegrityError(f"{what} belongs elsewhere: to hook {told.hook}, {told.alias} of {told.model}")
    return told


def furthest(each: Iterable[Told]) -> Told | None:
    """Return which of several says most: the one that is furthest, and of these the one that was written last."""
    return max(each, key=lambda told: (told.generation, told.time, told.write_id), default=None)


def all_skipped(each: Iterable[Told]) -> tuple[Skipped, ...]:
    """Return what any of several says was passed over on purpose, oldest first."""
    found = {one for told in each for one in told.skipped}
    return tuple(sorted(found, key=lambda one: (one.time, one.first, one.last, one.who, one.why)))


def check_hook_name(text: str) -> str:
    """Return `text` if it can name a hook, and thereby a folder in a registry.

    Raises:
        InvalidInput: It cannot.
    """
    if not is_name(text):
        raise InvalidInput(
            f"{text[:80]!r} is not a hook's name",
            hint="names are 1 to 64 lower-case letters, digits, and . _ - between them",
        )
    return text


def _from_document(document: Mapping[str, Any]) -> Told:
    failure = typed(document, "failure", dict | None)
    return Told(
        hook=typed(document, "hook", str),
        model=ModelName(typed(document, "project", str), typed(document, "model", str)),
        alias=Alias(typed(document, "alias", str)),
        generation=typed(document, "generation", int),
        record=typed(document, "record", str | None),
        time=typed(document, "time", str),
        failure=None if failure is None else _failure(failure),
        write_id=typed(document, "write_id", str),
        skipped=tuple(map(_skipped, typed(document, "skipped", list) if "skipped" in document else ())),
    )


def _skipped(document: Mapping[str, Any]) -> Skipped:
    return Skipped(
        typed(document, "first", int),
        typed(document, "last", int),
        typed(document, "who", str),
        typed(document, "time", str),
        typed(document, "why", str),
    )


def _failure(document: Mapping[str, Any]) -> Failure:
    return Failure(
        typed(document, "generation", int),
        typed(document, "attempts", int),
        typed(document, "since", str),
        typed(document, "time", str),
        typed(document, "message", str),
    )
