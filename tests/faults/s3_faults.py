"""What may go wrong with one request to S3, each as it looks on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from store.proxy import Answer, Breaking, Exchange
from store.s3_fake import FakeS3, said, xml


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes:
        breaking: What it does to a request.
        only: Which requests it can befall, by method and path.
        codes: With what a command may end besides success and `storage`, without telling a falsehood.
    """

    breaking: Breaking
    only: Callable[[str, str], bool] = lambda method, path: True
    codes: frozenset[str] = frozenset()


def is_list(method: str, path: str) -> bool:
    return method == "GET" and "list-type=" in path


def is_read(method: str, path: str) -> bool:
    return method == "GET" and "?" not in path


def is_write(method: str, path: str) -> bool:
    return method in {"PUT", "POST", "DELETE"}


def _instead(answer: Answer) -> Breaking:
    def breaking(exchange: Exchange) -> Answer:
        exchange.swallow()
        return answer

    return breaking


def _after(answer: Answer) -> Breaking:
    def breaking(exchange: Exchange) -> Answer:
        exchange.take_effect()
        return answer

    return breaking


def _silent(exchange: Exchange) -> None:
    exchange.swallow()
    exchange.be_silent()


def _silent_after(exchange: Exchange) -> None:
    exchange.take_effect()
    exchange.be_silent()


def _cut(exchange: Exchange) -> None:
    exchange.swallow()
    exchange.reset()


def _cut_after(exchange: Exchange) -> None:
    exchange.take_effect()
    exchange.reset()


def _cut_while_sending(exchange: Exchange) -> None:
    exchange.take_half()
    exchange.reset()


def _cut_while_answering(exchange: Exchange) -> None:
    answer = exchange.take_effect()
    exchange.send(answer, until=len(answer[2]) // 2)
    exchange.reset()


def _trickle(exchange: Exchange) -> None:
    exchange.send(exchange.take_effect(), pause=0.004)


def _flip(exchange: Exchange) -> Answer:
    status, headers, data = exchange.take_effect()
    at = len(data) // 2
    return status, headers, data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :] if data else data


def _shorten(exchange: Exchange) -> Answer:
    status, headers, data = exchange.take_effect()
    return status, headers, data[: len(data) // 2]


def _mistag(exchange: Exchange) -> Answer:
    status, headers, data = exchange.take_effect()
    return status, [(name, '"wrong"' if name.lower() == "etag" else value) for name, value in headers], data


FAULTS = {
    "409": Fault(_instead(said(409, "ConditionalRequestConflict"))),
    "412": Fault(_instead(said(412, "PreconditionFailed"))),
    "412 naming the condition": Fault(
        _instead(said(412, "PreconditionFailed", "<Condition>If-None-Match</Condition>"))
    ),
    "412 after the effect": Fault(_after(said(412, "PreconditionFailed")), is_write),
    "403": Fault(_instead(said(403, "AccessDenied"))),
    "500": Fault(_instead(said(500, "InternalError"))),
    "500 after the effect": Fault(_after(said(500, "InternalError")), is_write),
    "503": Fault(_instead(said(503, "SlowDown", "", (("Retry-After", "0"),)))),
    "400 RequestTimeout": Fault(_instead(said(400, "RequestTimeout"))),
    "silence": Fault(_silent),
    "silence after the effect": Fault(_silent_after, is_write),
    "cut": Fault(_cut),
    "cut after the effect": Fault(_cut_after, is_write),
    "cut while sending": Fault(_cut_while_sending, is_write),
    "cut while answering": Fault(_cut_while_answering, lambda method, path: method == "GET"),
    "trickle": Fault(_trickle, lambda method, path: method == "GET"),
    "flipped bit": Fault(_flip, is_read, frozenset({"integrity"})),
    "cut short": Fault(_shorten, lambda method, path: method == "GET"),
    "wrong tag": Fault(
        _mistag, lambda method, path: is_read(method, path) or is_write(method, path), frozenset({"integrity"})
    ),
    "no XML": Fault(_instead(xml("<ListBucketResult><Contents>")), is_list),
    "a page of a proxy": Fault(_instead(xml("<html>Please log in</html>"))),
}
"""Every kind that needs no memory."""


def late_list(fake: FakeS3, earlier: dict[str, bytes]) -> Fault:
    """A listing of what lay there before; what was read by it may be out of date, but must not be believed blindly."""

    def breaking(exchange: Exchange) -> Answer:
        now, fake.objects = fake.objects, earlier
        try:
            return exchange.take_effect()
        finally:
            fake.objects = now

    return Fault(breaking, is_list, frozenset({"conflict", "not_found", "integrity"}))
