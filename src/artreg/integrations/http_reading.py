"""Reading from servers of others by HTTP: through the proxies of the environment, and never for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from artreg.errors import InvalidInput
from artreg.pace import Pace, paced

PIECE = 2**20

_PACE = Pace(silence=60.0, slowest=64 * 1024)
TIMEOUT = urllib3.Timeout(connect=10, read=_PACE.silence)
# A server that hangs takes a minute each time.
_AGAIN: Mapping[str, Any] = {
    "total": 4,
    "read": 1,
    "status_forcelist": (429, 500, 502, 503, 504),
    "backoff_factor": 0.3,
}
_OK = 200


class StatusError(Exception):
    """A server answers with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class UnreachableError(Exception):
    """A server does not answer, broke off, or sends next to nothing."""


def connections(url: str, certificates: str | None = None) -> urllib3.PoolManager:
    """Return what connects to a server, or to the proxy before it, and gives up on one that only drips.

    Args:
        url: The server's.
        certificates: A file of those by which its own is checked, where the system's do not do.

    Raises:
        InvalidInput: The environment names a proxy that is none of HTTP.
    """
    parts = urlsplit(url)
    trusted: dict[str, Any] = {"maxsize": 8} | ({"ca_certs": certificates} if certificates else {})
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    pool = _by_proxy(proxy, trusted) if proxy else urllib3.PoolManager(**trusted)
    pool.pool_classes_by_scheme = {
        "http": paced(urllib3.HTTPConnectionPool, HTTPConnection, _PACE),
        "https": paced(urllib3.HTTPSConnectionPool, HTTPSConnection, _PACE),
    }
    return pool


def _by_proxy(proxy: str, trusted: Mapping[str, Any]) -> urllib3.ProxyManager:
    try:
        user = urllib3.util.parse_url(proxy).auth
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **trusted)
    except (urllib3.exceptions.HTTPError, ValueError):
        raise InvalidInput(
            "the proxy that the environment names is none of HTTP", hint="correct HTTP_PROXY or HTTPS_PROXY"
        ) from None


def broke_off(error: Exception) -> str:
    """Return in words why no whole answer came."""
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason:
        error = error.reason
    slow = isinstance(error, urllib3.exceptions.ReadTimeoutError | TimeoutError)
    return "it sends next to nothing" if slow else type(error).__name__


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
            while piece := answer.read(PIECE):
                yield piece
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise UnreachableError(broke_off(error)) from error
