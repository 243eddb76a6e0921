"""The small handle that every operation takes: where the registry lies, who acts, and what time it is."""

from __future__ import annotations

import os

from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from artreg.core.lock import Lock
    from artreg.core.record import PromotionRecord
    from artreg.registry.demands import Demands
    from artreg.store.interface import Store


def _now() -> datetime:
    from datetime import UTC, datetime  # noqa: PLC0415  # reading needs no clock

    return datetime.now(UTC)


def _new_id() -> str:
    return os.urandom(16).hex()


class Registry(Frozen):
    """A registry and the one who works on it.

    Attributes:
        store: Where it lies.
        actor: Who acts; stands in every record.
        now: The clock.
        new_id: Gives a random write id at each call.
        signing_key: The file of the SSH key by which the actor signs moves of aliases, if there is one.
        demands: What is demanded of an alias before it is believed where it points, if anything is.
        lock: What references mean, whatever the registry says by now, if that is pinned.
        noted: To which each record is added that is committed by way of this handle, where somebody wants to know.
    """

    store: Store
    actor: str = "unknown"
    now: Callable[[], datetime] = _now
    new_id: Callable[[], str] = _new_id
    signing_key: str | None = None
    demands: Demands | None = None
    lock: Lock | None = None
    noted: list[PromotionRecord] | None = None

    def timestamp(self) -> str:
        """Return the present time as RFC 3339 in UTC, to the millisecond."""
        from datetime import UTC  # noqa: PLC0415

        return self.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
