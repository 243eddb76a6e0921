"""Tells whoever the environment names, by OpenLineage's own variables, of what goes on, and never waits for them.

Events are sent in order by a thread of their own: a receiver that fails or hangs costs what is said of it at the end,
a bounded wait there, and nothing else. What it answers is not repeated, and its URL, in which a password may stand, not
either.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from artreg.frozen import Frozen
from artreg.integrations.lineage_events import Family, parse_run
from artreg.posting import NoAnswer, is_header, post

URL, ENDPOINT, API_KEY = "OPENLINEAGE_URL", "OPENLINEAGE_ENDPOINT", "OPENLINEAGE_API_KEY"
NAMESPACE, DISABLED = "OPENLINEAGE_NAMESPACE", "OPENLINEAGE_DISABLED"
PARENT, ROOT = "OPENLINEAGE_PARENT_ID", "OPENLINEAGE_ROOT_PARENT_ID"
TRANSPORT = "OPENLINEAGE__TRANSPORT__"

LIMIT_S = 10.0
"""How long whoever closes waits for what is still on its way."""

_TIMEOUT_S = 5.0  # of one request
_PAUSES_S = (0.2, 1.0)  # before an event is sent again
_ENDPOINT = "api/v1/lineage"
_NAMESPACE = "default"


class Refused(Exception):  # told, and never raised beyond this module
    """An event was not taken.

    Args:
        why: Why not.
        again: Whether it may be taken soon.
    """

    def __init__(self, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.again = again


class Receiver(Protocol):
    """Takes events."""

    def take(self, event: bytes) -> None:
        """Take one.

        Raises:
            Refused: It was not taken.
        """


class Told(Frozen):
    """What became of telling.

    Attributes:
        events: How many events there were.
        sent: How many were taken.
        problem: Why not all, or ''.
    """

    events: int
    sent: int
    problem: str = ""


def is_wanted(variables: Mapping[str, str]) -> bool:
    """Say whether the environment names a receiver."""
    if variables.get(DISABLED, "").strip().lower() in {"true", "1"}:
        return False
    kind = variables.get(f"{TRANSPORT}TYPE", "").strip().lower()
    return kind != "noop" if kind else bool(variables.get(URL))


def namespace(variables: Mapping[str, str]) -> str:
    """Return the namespace of jobs."""
    return variables.get(NAMESPACE) or _NAMESPACE


def family(variables: Mapping[str, str]) -> Family:
    """Return which run began this one, where whoever did so said it."""
    parent = parse_run(variables.get(PARENT, ""))
    return Family(parent, parse_run(variables.get(ROOT, "")) if parent else None)


def receiver(variables: Mapping[str, str]) -> Receiver:
    """Return whom the environment names; what is wrong with that shows when it is told something."""
    kind = variables.get(f"{TRANSPORT}TYPE", "http").strip().lower()
    try:
        if kind == "file":
            append = variables.get(f"{TRANSPORT}APPEND", "").strip().lower() == "true"
            return _File(variables[f"{TRANSPORT}LOG_FILE_PATH"], append=append)
        if kind != "http":
            return _Nobody(f"there is no transport {kind!r} here; use http or file")
        return _http(variables)
    except KeyError as error:
        return _Nobody(f"{error.args[0]} is not set")
    except ValueError:
        return _Nobody(f"{URL} is no URL of http or https")


class Teller:
    """Sends events in the background, in order.

    Args:
        to: Who takes them.
    """

    def __init__(self, to: Receiver) -> None:
        self._to = to
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._events = self._sent = 0
        self._problem = ""
        self._thread = threading.Thread(target=self._work, name="artreg-lineage", daemon=True)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Have an event sent; this returns at once."""
        if not self._events:
            self._thread.start()
        self._events += 1
        self._waiting.put(json.dumps(event).encode())

    def close(self, limit: float = LIMIT_S) -> Told:
        """Wait until all is sent, but no longer than so many seconds."""
        self._waiting.put(None)
        if self._events:
            self._thread.join(limit)
        problem = self._problem
        if self._sent < self._events and not problem:
            problem = f"the receiver did not answer within {limit:.0f} s"
        return Told(self._events, self._sent, problem)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            try:
                self._send(event)
                self._sent += 1
            except Refused as refused:
                self._problem = str(refused)

    def _send(self, event: bytes) -> None:
        for pause in _PAUSES_S:
            try:
                return self._to.take(event)
            except Refused as refused:
                if not refused.again:
                    raise
                time.sleep(pause)
        return self._to.take(event)


class _Nobody:
    """Takes nothing: what the environment says makes no sense."""

    def __init__(self, why: str) -> None:
        self._why = why

    def take(self, event: bytes) -> None:
        raise Refused(self._why)


class _File:
    """Keeps events in files as OpenLineage's own client does: lines of one, or a file for each."""

    def __init__(self, path: str, *, append: bool) -> None:
        self._path = path.removeprefix("file://")
        self._append = append

    def take(self, event: bytes) -> None:
        path = self._path if self._append else f"{self._path}-{datetime.now(UTC):%Y%m%d-%H%M%S.%f}.json"
        try:
            with open(path, "ab" if self._append else "xb") as file:
                file.write(event + b"\n")
        except OSError as error:
            raise Refused(f"{path} cannot be written: {error.strerror}") from error


class _Http:
    """Takes events by POST."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url, self._headers = url, {"Content-Type": "application/json", **headers}

    def take(self, event: bytes) -> None:
        try:
            answer = post(self._url, event, self._headers, _TIMEOUT_S)
        except NoAnswer as error:
            if error.late:
                raise Refused(f"the receiver did not answer within {_TIMEOUT_S:.0f} s") from None
            raise Refused(f"the receiver cannot be reached: {error}", again=True) from None
        if not answer.ok:
            raise Refused(f"the receiver answered {answer.status}", again=answer.soon)


def _http(variables: Mapping[str, str]) -> Receiver:
    parts = urlsplit(variables.get(f"{TRANSPORT}URL") or variables[URL])
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:  # what is no port raises too
        raise ValueError
    key = variables.get(API_KEY) or _api_key(variables)
    headers = {"Authorization": f"Bearer {key}"} if key else _basic(parts)
    if not all(map(is_header, headers.values())):
        return _Nobody(f"{API_KEY} holds what no header can, such as a line break")
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    endpoint = variables.get(f"{TRANSPORT}ENDPOINT") or variables.get(ENDPOINT) or _ENDPOINT
    url = urljoin(bare, endpoint)
    return _Http(url, headers) if urlsplit(url)[:2] == urlsplit(bare)[:2] else _Nobody(f"{ENDPOINT} is no path")


def _api_key(variables: Mapping[str, str]) -> str:
    """Return the key where it stands in the configuration of the transport."""
    try:
        auth = json.loads(variables.get(f"{TRANSPORT}AUTH") or "{}")
    except ValueError:
        return ""
    told = auth if isinstance(auth, dict) else {}
    key = variables.get(f"{TRANSPORT}AUTH__APIKEY") or told.get("apiKey") or told.get("api_key")
    return key if isinstance(key, str) else ""


def _basic(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def random_bytes() -> bytes:
    """Return what makes the id of a run its own; seeds of trainings do not matter to it."""
    return os.urandom(10)
