"""Whose keys count: what an OpenSSH allowed signers file says, which names people and the keys that sign for them."""

from __future__ import annotations

from artreg.errors import InvalidInput
from artreg.frozen import Frozen

_LIMIT = 2**20


class AllowedSigners(Frozen):
    """The lines of an allowed signers file; OpenSSH itself reads what stands in them.

    Attributes:
        lines: Each a name or several, options, and a public key.
    """

    lines: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, what: str) -> AllowedSigners:
        """Return the signers that a file names.

        Args:
            text: What the file holds.
            what: Its name, for errors.

        Raises:
            InvalidInput: It is too long, or names nobody.
        """
        lines = [line.strip() for line in text.splitlines()]
        kept = tuple(line for line in lines if line and not line.startswith("#"))
        if not kept or len(text) > _LIMIT:
            raise InvalidInput(
                f"{what} names no signers", hint="write a line for each: alice@example.com ssh-ed25519 AAAA…"
            )
        return cls(kept)


class SignedBy(Frozen):
    """Whose signature a version must bear.

    Attributes:
        allowed: Whose keys are known.
        names: One of these must have signed; empty: anybody whose key is known.
    """

    allowed: AllowedSigners
    names: tuple[str, ...] = ()

    def accepts(self, who: str) -> bool:
        """Return whether a signature in that name is enough."""
        return not self.names or who in self.names
