"""Takes credentials out of texts that are recorded."""

from __future__ import annotations

import re
from collections.abc import Sequence

_URL_USER = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s]*@")
_URL_QUERY = re.compile(r"(?P<url>[A-Za-z][A-Za-z0-9+.-]*://[^?#\s]*)[?#]\S*")
_SCP_USER = re.compile(r"^[^/@\s]+@(?=[^/@\s]+:)")
_ACCOUNT = re.compile(r"^(?:abfs|abfss)://[A-Za-z0-9-]+@[A-Za-z0-9.-]+(?:/[^?#\s]*)?$")
_SECRET_NAME = re.compile(r"token|secret|passw|api[-_]?key|access[-_]?key|credential|signature", re.IGNORECASE)

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
