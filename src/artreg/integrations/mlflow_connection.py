"""How an MLflow tracking server is reached: by which proxy, with which credentials, trusting whom, and how slowly."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from artreg.errors import InvalidInput
from artreg.pace import Pace, paced
from artreg.posting import is_header

PACE = Pace(silence=60.0, slowest=64 * 1024)


def credentials(user: str | None, password: str | None) -> dict[str, str]:
    """Return the headers of every request, by a user and password or by what the environment says.

    Raises:
        InvalidInput: No header can hold what the environment says.
    """
    headers = {"Accept-Encoding": "identity", "User-Agent": "artreg"}
    name = unquote(user) if user else os.environ.get("MLFLOW_TRACKING_USERNAME")
    secret = unquote(password or "") if user else os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if name:
        headers["Authorization"] = f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"
    elif token:
        headers["Authorization"] = f"Bearer {token}"
    if workspace := os.environ.get("MLFLOW_WORKSPACE"):
        headers["X-MLFLOW-WORKSPACE"] = workspace
    if not all(map(is_header, headers.values())):
        raise InvalidInput(
            "MLFLOW_TRACKING_TOKEN or MLFLOW_WORKSPACE holds what no header can, such as a line break",
            hint="set them anew, as one line of ASCII",
        )
    return headers


def connections(url: str) -> urllib3.PoolManager:
    """Return connections to a server, by the proxy and the certificates that the environment names.

    Raises:
        InvalidInput: The proxy is none of HTTP.
    """
    parts = urlsplit(url)
    trusted: dict[str, Any] = {"maxsize": 8}
    if certificates := os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"):
        trusted["ca_certs"] = certificates
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    pool = _by_proxy(proxy, trusted) if proxy else urllib3.PoolManager(**trusted)
    pool.pool_classes_by_scheme = {
        "http": paced(urllib3.HTTPConnectionPool, HTTPConnection, PACE),
        "https": paced(urllib3.HTTPSConnectionPool, HTTPSConnection, PACE),
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
