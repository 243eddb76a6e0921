"""`Protocol` for type checkers; where code runs it is a plain class, which spares every command importing `typing`."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol as Protocol  # noqa: PLC0414  # it is for others
else:

    class Protocol:
        """A class whose members others have without inheriting from it (PEP 544)."""
