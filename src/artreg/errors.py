"""The one tree of errors, and the one table from error to exit code.

Every error that artreg raises on purpose is an `ArtregError`. It carries what a person needs (`message`, `hint`) and
what a program needs (`code`, `details`); only the command line turns it into text and an exit status.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class ArtregError(Exception):
    """What went wrong, in one sentence, and what to do about it.

    Args:
        message: One sentence that says what is wrong and names the thing.
        hint: What to do next.
        details: Further facts for programs; every value must be representable in JSON.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class InvalidInput(ArtregError):
    """Wrong usage, bad configuration, a bad name."""

    code = "invalid_input"


class GateRejected(ArtregError):
    """A gate of the policy said no; `details["gates"]` holds every verdict."""

    code = "gate_rejected"


class IntegrityError(ArtregError):
    """Something does not match its checksum, or a chain is broken."""

    code = "integrity"


class NotFound(ArtregError):
    """No such key, model, version, alias or registry."""

    code = "not_found"


class Conflict(ArtregError):
    """Somebody else was faster; nothing was changed."""

    code = "conflict"


class AlreadyExists(ArtregError):
    """Already there, with other content."""

    code = "already_exists"


class StorageError(ArtregError):
    """Storage cannot be reached, or it refused."""

    code = "storage"


class OutcomeUnknown(StorageError):
    """A write may or may not have taken effect, or may not last. Nothing may be cleaned up after it.

    `details["outcome"]` is always "unknown", so that a program can tell it from a write that failed.
    """

    def __init__(self, message: str, *, hint: str = "", **details: object) -> None:
        super().__init__(message, hint=hint, **{**details, "outcome": "unknown"})


class NotReproduced(ArtregError):
    """Run again, it did not give the same bytes or figures."""

    code = "not_reproduced"


class Interrupted(ArtregError):
    """The user stopped the command; nothing half-done is visible."""

    code = "interrupted"


EXIT_CODES = {
    "internal": 1,
    "invalid_input": 2,
    "gate_rejected": 3,
    "integrity": 4,
    "not_found": 5,
    "conflict": 6,
    "already_exists": 7,
    "storage": 8,
    "not_reproduced": 9,
    "interrupted": 130,
}
"""Exit code of the command line for each `ArtregError.code`."""


def exit_code(error: BaseException) -> int:
    """Return the exit code for `error`; anything that is no `ArtregError` is a bug in artreg (1)."""
    return EXIT_CODES[error.code] if isinstance(error, ArtregError) else EXIT_CODES["internal"]
