"""Signing webhooks by the scheme of Standard Webhooks: HMAC-SHA256 over the id, the time and the body.

The variable that a hook names holds the secret as that scheme writes it: `whsec_` and base64. It may hold several with
a blank between them, while one is being replaced by another; every one signs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from artreg.errors import InvalidInput

PREFIX = "whsec_"
"""How a secret begins, and no name of a variable does."""

_LEAST, _MOST = 24, 64  # bytes


def read_secrets(variable: str, environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the keys that a variable holds.

    Raises:
        InvalidInput: It holds none; the error does not tell what it holds.
    """
    found = tuple(_key(variable, part) for part in environment.get(variable, "").split())
    if not found:
        raise InvalidInput(f"{variable} is not set, which is to hold the secret of a hook", hint=_how(variable))
    return found


def signed_headers(secrets: tuple[bytes, ...], identity: str, time: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove who sends a body.

    Args:
        secrets: The keys.
        identity: The id of the event; without a full stop.
        time: When it is sent, in seconds since 1970.
        body: The bytes that are sent.
    """
    content = b".".join((identity.encode("ascii"), str(time).encode("ascii"), body))
    signatures = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in secrets]
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(time),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(variable: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise InvalidInput(
            f"{variable} holds no secret of a webhook: {PREFIX} and {_LEAST} to {_MOST} bytes in base64",
            hint=_how(variable),
        )
    return key


def _how(variable: str) -> str:
    return f'make one, for both sides: export {variable}="{PREFIX}$(openssl rand -base64 32)"'
