"""One attempt to deliver an event: by a webhook, or to a program.

Whoever is told is chosen by the hooks file alone: nothing from the registry has a part in it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import unquote, urljoin, urlsplit

from artreg.hooks.config import Hook, server_of
from artreg.hooks.event import CONTENT_TYPE, Event
from artreg.hooks.refusal import Refused
from artreg.hooks.signature import read_secrets, signed_headers
from artreg.posting import Answer, NoAnswer, post
from artreg.programs import CannotRun, run
from artreg.programs import NoAnswer as NoEnd

_SHOWN = 200  # characters of what a receiver said
_SECRET = 8  # characters from which on a part of a URL may be a secret

Send = Callable[[Event], str]
"""Delivers an event, once; returns what was answered, in a few words, or raises `Refused`."""


def sender(hook: Hook, environment: Mapping[str, str]) -> Send:
    """Return what delivers to a hook.

    Raises:
        InvalidInput: The environment does not hold its secret.
    """
    if hook.url is None:
        return lambda event: _run(hook, event.body)
    assert hook.secret is not None
    url, secrets = hook.url, read_secrets(hook.secret, environment)

    def send(event: Event) -> str:
        signed = signed_headers(secrets, event.id, int(time.time()), event.body)
        try:
            answer = post(url, event.body, {"Content-Type": CONTENT_TYPE, **signed}, hook.timeout)
        except NoAnswer as error:
            raise Refused(str(error)) from None
        if not answer.ok:
            raise _refused(url, answer)
        return _said(url, answer)

    return send


def _refused(url: str, answer: Answer) -> Refused:
    """Return what an answer says that is no success."""
    said = _said(url, answer)
    if answer.status // 100 == 3 and answer.location:  # noqa: PLR2004
        return Refused(f"{said}: it sends to {_server(url, answer.location)}, which is not followed", again=False)
    excerpt = _excerpt(_without(url, answer.body.decode("utf-8", "replace")))
    return Refused(f"{said}: {excerpt}" if excerpt else said, again=answer.soon, after=answer.after)


def _said(url: str, answer: Answer) -> str:
    return _excerpt(_without(url, f"{answer.status} {answer.reason}"))


def _server(url: str, location: str) -> str:
    """Return to which server a receiver sends; of the rest of where it does, a part may be the secret of its URL."""
    try:
        return _excerpt(server_of(urljoin(url, location)))
    except ValueError:
        return "what is no URL"


def _without(url: str, text: str) -> str:
    """Return what a receiver said without what it repeats of its URL, which is often a secret."""
    parts = urlsplit(url)
    whole = parts.path + (f"?{parts.query}" if parts.query else "")
    each = {form for part in (whole, parts.path, *re.split("[/?&=;]", whole)) for form in (part, unquote(part))}
    for part in sorted(each, key=len, reverse=True):
        text = text.replace(part, "…") if len(part) >= _SECRET else text
    return text


def _excerpt(text: str) -> str:
    """Return the beginning of what was said, in one line."""
    return " ".join(text.split())[:_SHOWN]


def _run(hook: Hook, body: bytes) -> str:
    """Run the program of a hook with an event on its stdin; with it ends whatever it started.

    Raises:
        Refused: It cannot be run, did not end in time, or ended otherwise than with 0.
    """
    try:
        ended = run(hook.command, hook.timeout, stdin=body + b"\n")  # a line of its own, to be appended to a file
    except CannotRun as error:
        raise Refused(str(error), again=False) from None
    except NoEnd:
        raise Refused(f"it did not end within {hook.timeout:g} s") from None
    if ended.code != 0:
        raise Refused(ended.how + (f": {_excerpt(ended.last_line)}" if ended.last_line else ""))
    return ended.how
