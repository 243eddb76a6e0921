"""Takes credentials out of texts that are recorded."""

from __future__ import annotations

import re
from collections.abc import Sequence

_URL_USER = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s]*@")
_URL_QUERY = re.compile(r"(?P<url>[A-Za-z][A-Za-z0-9+.-]*://[^?#\s]*)[?#]\S*")
_SCP_USER = re.compile(r"^[^/@\s]+@(?=[^/@\s]+:)")
_ACCOUNT = re.compile(r"^(?:abfs|abfss)://[A-Za-z0-9-]+@[A-Za-z0-9.-]+(?:/[^?#\s]*)?$")
_SECRET_NAME = re.compile(r"token|secret|passw|api[-_]?key|access[-_]?key|credential|signature", re.IGNORECASE)

_QUERY_KEY = re.compile(r"[?&;](?P<key>[^=&;#\s\"']+)=")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_SUSPECT = re.compile(r"://[^\s\"'<>]*[@?&;]")  # without one of these no URL holds a credential
_CONDA_TOKEN = re.compile(r"/t/[^/\s]+/")

HIDDEN = "***"
"""What stands where a secret stood."""


def redact_url(text: str) -> str:
    """Return `text` without the user, password, query and fragment of any URL in it.

    Git's `user@host:path` loses its user too. The container name of an Azure URL (`abfss://container@account…`) is
    no user and stays.
    """
    if _ACCOUNT.match(text):
        return text
    text = _URL_QUERY.sub(r"\g<url>", text)
    return _SCP_USER.sub("", _URL_USER.sub(r"\g<scheme>", text))


def redact_image(name: str) -> str:
    """Return the name of a container image without a user or password before its registry."""
    bare, digest, sha256 = redact_url(name).partition("@sha256:")
    return f"{bare.rpartition('@')[2]}{digest}{sha256}"


def redact_channel(url: str) -> str:
    """Return the URL of a conda package without a user, a password, a query, or a channel's token."""
    return _CONDA_TOKEN.sub("/t/<TOKEN>/", redact_url(url))


def secret_line(text: str) -> int | None:
    """Return the number of the first line with a URL that holds a credential, counted from 1, or None.

    A user alone is none where it is only SSH's (`ssh://git@host`).
    """
    if _SUSPECT.search(text) is None:  # nearly always, and quickly said of the thousands of lines of a lock file
        return None
    for number, line in enumerate(text.splitlines(), start=1):
        if any(_holds_secret(url) for url in _URL.findall(line)):
            return number
    return None


def _holds_secret(url: str) -> bool:
    scheme, _, rest = url.partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if at and (":" in user or not scheme.endswith("ssh")):
        return True
    return any(_SECRET_NAME.search(match["key"]) for match in _QUERY_KEY.finditer(rest))


def redact_command(command: Sequence[str]) -> list[str]:
    """Return a command line without the credentials in its URLs and without the values of secret options."""
    redacted: list[str] = []
    hide_next = False
    for argument in command:
        name, equals, _ = argument.partition("=")
        secret = _SECRET_NAME.search(name.rpartition("://")[0] or name) is not None
        if hide_next:
            redacted.append(HIDDEN)
        elif equals and secret:
            redacted.append(f"{name}={HIDDEN}")
        else:
            redacted.append(redact_url(argument))
        hide_next = not hide_next and argument.startswith("-") and not equals and secret
    return redacted
