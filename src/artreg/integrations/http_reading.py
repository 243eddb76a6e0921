"""Reading from servers of others by HTTP: through the proxies of the environment, and never for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

TIMEOUT = urllib3.Timeout(connect=10, read=60)
_PATIENCE_S = 120.0  # for a whole answer, besides what its bytes take at the slowest
_SLOWEST = 64 * 1024  # bytes a second
_PIECE = 2**20


class TooSlowError(Exception):
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
            raise TooSlowError
