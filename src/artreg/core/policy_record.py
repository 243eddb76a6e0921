"""A policy as it is pushed into a registry: numbered, chained, never rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artreg.core import canonical
from artreg.errors import IntegrityError
from artreg.frozen import Frozen

FORMAT = "artreg/policy/1"
_SEAL = "policy_digest"
_TEXTS = ("who", "why", "time", "write_id")


class PolicyRecord(Frozen):
    """One policy of a registry; the newest holds.

    Attributes:
        number: Its number; the first is 1.
        policy: The policy, as a JSON object.
        previous: The sha256 of the record before this one.
        who: Who pushed it.
        why: The reason that was given, or ''.
        time: When, RFC 3339 in UTC.
        write_id: Random, so that a writer knows its own record when it meets it.
    """

    number: int
    policy: Mapping[str, Any]
    previous: str | None
    who: str
    why: str
    time: str
    write_id: str

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        body = {
            "format": FORMAT,
            "number": self.number,
            "policy": dict(self.policy),
            "previous": self.previous,
            "who": self.who,
            "why": self.why,
            "time": self.time,
            "write_id": self.write_id,
        }
        return canonical.dumps({**body, _SEAL: canonical.digest(canonical.dumps(body))})


def parse_policy_record(data: bytes, number: int) -> PolicyRecord:
    """Read a pushed policy strictly.

    Raises:
        IntegrityError: It is damaged, was altered, or belongs under another number.
    """
    what = f"policy {number} of the registry"
    document = canonical.loads_canonical(data, what)
    if document.get("format") != FORMAT:
        raise IntegrityError(f"{what} has the unknown format {document.get('format')!r}")
    texts = {key: document.get(key) for key in _TEXTS}
    previous, policy = document.get("previous"), document.get("policy")
    sound = all(isinstance(text, str) for text in texts.values()) and isinstance(policy, dict)
    if not sound or not isinstance(previous, str | None) or document.get("number") != number:
        raise IntegrityError(f"{what} is damaged: a key is missing or has the wrong type")
    record = PolicyRecord(number=number, policy=policy or {}, previous=previous, **texts)  # type: ignore[arg-type]  # seen above
    if record.encode() != data:
        raise IntegrityError(f"{what} was altered: it does not match its own digest")
    return record
