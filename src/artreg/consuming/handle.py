"""The small handle that everything here takes: a registry, and what its consumer keeps on this machine."""

from __future__ import annotations

from artreg.errors import InvalidInput
from artreg.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from artreg.consuming.cache import Cache
    from artreg.registry.handle import Registry


class Consumer(Frozen):
    """One who takes models from a registry.

    Attributes:
        registry: The registry.
        cache: Where files are looked for first, and kept; None to do without.
        place: What the registry is called where several are remembered; see `artreg.registry.seen.place_of`.
        offline: Whether the registry is asked for nothing.
    """

    registry: Registry
    cache: Cache | None
    place: str
    offline: bool = False

    def require_cache(self) -> Cache:
        """Return the cache, where there is nothing else to go by.

        Raises:
            InvalidInput: There is none.
        """
        if self.cache is None:
            raise InvalidInput(
                "without a cache there is nothing to go by but the registry",
                hint="leave out --offline or --no-cache, or name a cache: the setting cache, or ARTREG_CACHE",
            )
        return self.cache
