"""What is remembered of verifications: of each version of a model the last one, in one document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from artreg.core import canonical
from artreg.core.names import ModelName
from artreg.core.strict import parse_strictly, typed
from artreg.core.version import is_version
from artreg.errors import IntegrityError
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "artreg/verification/1"
_SEAL = "verification_digest"


class Seen(Frozen):
    """The last verification of a version.

    Attributes:
        digest: What the version's digest was; that of a damaged manifest is ''.
        time: When, RFC 3339 in UTC.
        who: Who verified it.
        ok: Whether every byte was as it should be.
    """

    digest: str
    time: str
    who: str
    ok: bool

    @property
    def moment(self) -> datetime:
        """When, as a time."""
        found = datetime.fromisoformat(self.time)
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"digest": self.digest, "time": self.time, "who": self.who, "ok": self.ok}


class Verifications(Frozen):
    """The last verification of each version of a model, as far as anybody recorded it.

    Attributes:
        model: The model.
        seen: The verifications by version.
        write_id: Random, so that a writer knows its own document when it meets it.
    """

    model: ModelName
    seen: Mapping[str, Seen]
    write_id: str

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        body = {
            "format": FORMAT,
            "project": self.model.project,
            "model": self.model.model,
            "seen": {version: seen.document() for version, seen in self.seen.items()},
            "write_id": self.write_id,
        }
        return canonical.dumps({**body, _SEAL: canonical.digest(canonical.dumps(body))})


def parse_verifications(data: bytes, model: ModelName, name: str) -> Verifications:
    """Read such a document strictly.

    Raises:
        IntegrityError: It is damaged, was altered, or belongs elsewhere.
    """
    what = f"the record of verifications {name} of {model}"
    found = parse_strictly(data, what, FORMAT, _from_document)
    if found.model != model:
        raise IntegrityError(f"{what} belongs elsewhere: it is of {found.model}")
    return found


def _from_document(document: Mapping[str, Any]) -> Verifications:
    seen = {version: _seen(one) for version, one in typed(document, "seen", dict).items()}
    if not all(map(is_version, seen)):
        raise ValueError("it names what is no version")
    model = ModelName(typed(document, "project", str), typed(document, "model", str))
    return Verifications(model, seen, typed(document, "write_id", str))


def _seen(document: Mapping[str, Any]) -> Seen:
    digest, time, who = (typed(document, key, str) for key in ("digest", "time", "who"))
    datetime.fromisoformat(time)  # one that is none is damage
    return Seen(digest, time, who, typed(document, "ok", bool))
