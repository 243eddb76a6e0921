"""Reading from servers of others by HTTP: through the proxies of the environment, and never for ever."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

TIMEOUT = urllib3.Timeout(connect=10, read=60)
_PATIENCE_S = 120.0  # for a whole answer, besides what its bytes take at the slowest
_SLOWEST = 64 * 1024  # bytes a second
# A server that hangs takes a minute each time.
_AGAIN: Mapping[str, Any] = {
    "total": 4,
    "read": 1,
    "status_forcelist": (429, 500, 502, 503, 504),
    "backoff_factor": 0.3,
}
_OK = 200
_PIECE = 2**20


class StatusError(Exception):
    """A server answers with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class UnreachableError(Exception):
    """A server does not answer, or broke off."""


class TooSlowError(UnreachableError):
    """A server sends next to nothing."""


def connections(url: str, certificates: str | None = None) -> urllib3.PoolManager:
    """Return what connects to a server, or to the proxy before it.

    Args:
        url: The server's.
        certificates: A file of those by which its own is checked, where the system's do not do.
    """
    parts = urlsplit(url)
    trusted: dict[str, Any] = {"maxsize": 8} | ({"ca_certs": certificates} if certificates else {})
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    return urllib3.ProxyManager(proxy, **trusted) if proxy else urllib3.PoolManager(**trusted)


def pieces(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield what arrives as it arrives: waiting for a whole piece would never notice that a server only drips.

    Raises:
        TooSlowError: It does.
        urllib3.exceptions.HTTPError: The connection broke off.
    """
    until, taken = time.monotonic() + _PATIENCE_S, 0
    while piece := answer.read1(_PIECE):
        taken += len(piece)
        yield piece
        if time.monotonic() > until + taken / _SLOWEST:
            raise TooSlowError("it sends next to nothing")


def contents(
    pool: urllib3.PoolManager, url: str, headers: Mapping[str, str], secret: Collection[str]
) -> Iterator[bytes]:
    """Yield what lies at a URL; what fails for the moment is asked for again a few times, before the first byte.

    Args:
        pool: What connects to it.
        url: Where it lies.
        headers: What is sent along.
        secret: Which of them go to no other server, wherever it sends us.

    Raises:
        StatusError: It is not there, or not given out.
        UnreachableError: The server does not answer, broke off, or sends next to nothing.
    """
    retries = urllib3.Retry(
        **_AGAIN,
        respect_retry_after_header=False,  # which may ask for hours
        remove_headers_on_redirect=secret,
        raise_on_status=False,
    )
    try:
        answer = pool.request("GET", url, headers=headers, retries=retries, timeout=TIMEOUT, preload_content=False)
        try:
            if answer.status != _OK:
                raise StatusError(answer.status)
            yield from pieces(answer)
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        inner = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason else error
        raise UnreachableError(type(inner).__name__) from error
