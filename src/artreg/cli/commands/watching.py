"""`watch`: tells of each move as it comes."""

from __future__ import annotations

import math
import os
import re
import select
import stat
import sys
import time
from datetime import timedelta

from artreg.cli.commands.recalling import move_of, parse_time
from artreg.cli.declare import Argument, Exit, Option
from artreg.cli.output import error_document
from artreg.cli.session import Session
from artreg.cli.view import Spans, Tone
from artreg.core.ages import parse_age, shown
from artreg.core.names import Alias, Reference, is_alias
from artreg.core.record import Action, PromotionRecord
from artreg.core.version import Version
from artreg.core.version_event import FORBIDDING
from artreg.errors import ArtregError, Interrupted, InvalidInput, NotFound, StorageError, exit_code
from artreg.registry.follow import Follower, Subject, in_order
from artreg.registry.versions import list_models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Annotated

    from artreg.cli.output import Output
    from artreg.core.names import ModelName
    from artreg.core.version_event import VersionEvent
    from artreg.errors import IntegrityError
    from artreg.registry.follow import News, Place

_SHORTEST = 0.1  # seconds between two looks
_LONGEST = 60.0  # seconds between two looks while storage is in trouble
_INDENT = len("2026-03-01 12:00:00  ")
_LONGEST_WAIT = 86_400.0  # seconds that the system can be told to wait
_TONES = {
    Action.PROMOTE: Tone.GOOD,
    Action.ROLLBACK: Tone.CARE,
    Action.YANK: Tone.BAD,
    Action.FREEZE: Tone.CARE,
    Action.FENCE: Tone.CARE,
}


def watch(
    session: Session,
    subject: Annotated[
        str | None,
        Argument(help="[PROJECT/]MODEL, MODEL@ALIAS, or ALIAS; all by default", complete="references"),
    ] = None,
    start: Annotated[
        str | None, Option("--since", metavar="WHEN", help="Begin after a generation, or at a time, or so long ago")
    ] = None,
    once: Annotated[bool, Option("--once", help="Tell what there is, and end")] = False,
    until: Annotated[
        str | None, Option("--until", metavar="VERSION", help="End, with 0, as soon as the alias holds this version")
    ] = None,
    logs: Annotated[
        bool, Option("--logs", help="Also what is said of versions: approvals, yanks, proofs; a request for each")
    ] = False,
    timeout: Annotated[
        str | None, Option("--timeout", metavar="AGE", help="End after so long; with --until that is exit code 5")
    ] = None,
    interval: Annotated[str, Option("--interval", metavar="AGE", help="How often to look")] = "2s",
    patience: Annotated[
        str, Option("--patience", metavar="AGE", help="How long storage may be in trouble before that is an error")
    ] = "5m",
) -> None:
    """Follow the history: a line for each move, freeze, yank of what is held, as it comes; Ctrl-C ends it.

    It begins with where each alias stands, or where --since says. Each look takes one request for each alias; what
    comes between two looks is told all the same, once, in order. While storage is in trouble it looks less and less
    often, up to once a minute, and goes on where it was. An interruption is exit code 130, as everywhere.

    With --json each line is an object: {"event": "record", …} with the record, or "said" with what --logs asks for;
    {"event": "trouble", …} and {"event": "recovered"} where storage fails for a while; at last {"error": …}, where it
    ends with an error. Of several aliases one whose history is damaged is told once, {"event": "damaged", …}, and
    followed no more; the others go on, and the end is exit code 4.

    Examples: artreg watch; artreg watch churn@prod --since 24h --once; artreg watch churn@prod --since 7 --json;
    artreg watch churn@prod --until 1.3.0 --timeout 10m && systemctl restart scorer
    """
    out = session.output.in_lines()
    try:
        followed = _subject(session, subject, logs=logs)
        _Watch(session, out, followed, until, _seconds("--timeout", timeout)).run(
            start, once=once, interval=_seconds("--interval", interval), patience=_seconds("--patience", patience)
        )
    except KeyboardInterrupt:  # how a watch usually ends: a person need not be told
        error: ArtregError = Interrupted("interrupted", hint="run it again with --since")
        out.result({"error": error_document(error)}, [])
        if sys.stderr.isatty():
            out.note("")  # the prompt that follows is to begin a line
        raise Exit(exit_code(error)) from None
    except ArtregError as found:
        if out is session.output:
            raise
        out.error(found)  # in one line
        raise Exit(exit_code(found)) from None


class _Watch:
    """One watch.

    Args:
        session: The session.
        out: Where it tells what it sees.
        subject: What is followed.
        until: Which version is waited for.
        timeout: Seconds after which it ends.
    """

    def __init__(self, session: Session, out: Output, subject: Subject, until: str | None, timeout: float) -> None:
        self._session, self._out, self._subject = session, out, subject
        if subject.logs and subject.alias is not None:
            raise InvalidInput("--logs is of a model's versions", hint="name the model alone, such as churn")
        if until is not None and subject.alias is None:
            raise InvalidInput("--until waits for one alias", hint="name it, such as churn@prod")
        self._until = None if until is None else Version.parse(until)
        self._end = time.monotonic() + timeout
        self._follower = Follower(session.registry, subject, None if subject.alias else self._tell_damage)
        self._damage: IntegrityError | None = None

    def run(self, start: str | None, *, once: bool, interval: float, patience: float) -> None:
        """Tell what there is, then what comes, until the end."""
        begin = None if start is None else _start(start, self._subject, self._session.registry.now())
        heads = self._follower.begin()
        now = [news for news in heads if isinstance(news.told, PromotionRecord)]
        for news in in_order([one] for one in now) if begin is None else self._follower.since(begin):
            self._tell(news)
        held = any(map(self._is_awaited, heads))
        if not (heads or once):
            self._session.output.note("nothing points anywhere yet; waiting for the first move")
        while not (held or once or self._left() <= 0):
            held = self._look(interval, patience)
        if self._until is not None and not held:
            message = f"{self._subject} does not hold {self._until}" + ("" if once else ", and the time is up")
            raise NotFound(message, hint="see artreg history", timeout=not once)
        if self._damage is not None:
            raise self._damage

    def _look(self, interval: float, patience: float) -> bool:
        """Wait, then tell what has come, however long that takes; return whether what is awaited has."""
        failing: float | None = None
        pause = max(interval, _SHORTEST)
        while True:
            _wait(min(pause, self._left()))
            try:
                for news in self._follower.look():
                    self._tell(news)
                    if self._is_awaited(news):
                        return True
            except StorageError as error:
                now = time.monotonic()
                if failing is None:
                    failing = now
                    self._tell_trouble(error, patience)
                if now - failing >= patience or self._left() <= 0:
                    raise
                pause = min(2 * pause, _LONGEST)
                continue
            if failing is not None:
                self._out.result({"event": "recovered"}, [])
                self._out.note("storage answers again")
            return False

    def _left(self) -> float:
        """Return how many seconds it has until it ends."""
        return self._end - time.monotonic()

    def _is_awaited(self, news: News) -> bool:
        return self._until is not None and news.told.version == self._until

    def _tell(self, news: News) -> None:
        told = news.told
        if isinstance(told, PromotionRecord):
            name, tone = told.action.value, _TONES.get(told.action, Tone.PLAIN)
            parts = _parts(told, f"{told.model}@{told.alias}", f"gen {told.generation}", (name, tone), move_of(told))
            self._out.result({"event": "record", **told.document()}, [Spans(parts, _INDENT)])
            return
        kind = (told.kind.value, Tone.BAD if told.kind in FORBIDDING else Tone.PLAIN)
        alias = f"for {told.alias}" if told.alias else ""
        parts = _parts(told, f"{told.model}@{told.version}", f"event {told.number}", kind, alias)
        self._out.result({"event": "said", **told.document()}, [Spans(parts, _INDENT)])

    def _tell_damage(self, place: Place, error: IntegrityError) -> None:
        model, target = place
        kind = "alias" if isinstance(target, Alias) else "version"
        document = {"project": model.project, "model": model.model, kind: str(target), **error_document(error)}
        line = Spans(((f"{model}@{target}", Tone.STRONG), ("  damaged  ", Tone.BAD), (error.message, Tone.PLAIN)))
        self._out.result({"event": "damaged", **document}, [line])
        self._damage = self._damage or error

    def _tell_trouble(self, error: StorageError, patience: float) -> None:
        self._out.result({"event": "trouble", **error_document(error)}, [])
        self._out.note(f"storage is in trouble, trying again for {shown(timedelta(seconds=patience))}: {error.message}")


def _parts(
    told: PromotionRecord | VersionEvent, name: str, number: str, kind: tuple[str, Tone], rest: str
) -> tuple[tuple[str, Tone], ...]:
    return (
        (f"{told.time.replace('T', ' ')[:19]}  ", Tone.DIM),
        (name, Tone.STRONG),
        (f"  {number}  ", Tone.DIM),
        kind,
        (f"  {rest}  " if rest else "  ", Tone.STRONG),
        (told.who + (f": {told.why}" if told.why else ""), Tone.PLAIN),
    )


def _subject(session: Session, text: str | None, *, logs: bool) -> Subject:
    if text is None:
        return Subject(logs=logs)
    if "@" in text or text.startswith("models:/"):
        reference = Reference.parse(text, session.settings.project)
        if not isinstance(reference.target, Alias):
            raise InvalidInput(f"{text!r} names no alias", hint="only aliases move: write churn@prod, or churn")
        return Subject(reference.model, reference.target, logs)
    model = session.model(text)
    if is_alias(text) and model not in list_models(session.registry.store):
        return Subject(_model_with(session, Alias(text), model), Alias(text), logs)
    return Subject(model, logs=logs)


def _model_with(session: Session, alias: Alias, model: ModelName) -> ModelName:
    """Return the model that has an alias; where none has, a model of a name like it may have been meant."""
    try:
        return session.model_with(alias)
    except NotFound as error:
        from artreg.registry.absent import no_model

        instead = no_model(session.registry, model)
        raise (instead if instead.details["suggestions"] and not error.details.get("suggestions") else error) from None


def _start(text: str, subject: Subject, now: datetime) -> int | datetime:
    """Read from where on it is to be told: after a generation, or from a time on."""
    if re.fullmatch("[0-9]{1,8}", text):
        if subject.alias is None:
            raise InvalidInput("a generation is one of an alias", hint="name it, such as churn@prod, or give a time")
        return int(text)
    try:
        return now - parse_age(text)
    except ValueError:
        return parse_time(text)


def _seconds(option: str, text: str | None) -> float:
    if text is None:
        return math.inf
    try:
        return parse_age(text).total_seconds()
    except ValueError as error:
        raise InvalidInput(f"{option}: {error}") from None


def _wait(seconds: float) -> None:
    """Wait; where stdout is a pipe, no longer than somebody reads it.

    Raises:
        BrokenPipeError: Nobody does any more.
    """
    try:
        number = sys.stdout.fileno()
        piped = stat.S_ISFIFO(os.fstat(number).st_mode)
    except (OSError, ValueError):  # no file
        piped = False
    if not piped or not hasattr(select, "poll"):
        time.sleep(max(seconds, 0))
        return
    poll = select.poll()
    poll.register(number, 0)  # of its own accord it tells of a pipe without a reader
    if poll.poll(min(max(seconds, 0), _LONGEST_WAIT) * 1000):
        raise BrokenPipeError
