"""What is the same for every registry that is no folder of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from artreg.store.interface import NO_PROGRESS, Progress, TreeFile
from artreg.store.staging import in_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


class StoreAfar:
    """Nothing to sync, no paths, and no place beside the trees to copy files to."""

    def persist(self, keys: Sequence[str]) -> None:
        """Do nothing: what is visible here lasts as long as anything does."""

    def local_path(self, key: str) -> Path | None:
        """Return None: no file of this machine."""
        return None

    def staged(
        self,
        folder: str,
        sources: Mapping[str, Path],
        *,
        link: bool = False,
        dry_run: bool = False,
        progress: Progress = NO_PROGRESS,
    ) -> AbstractContextManager[tuple[TreeFile, ...]]:
        """Take stock of files where they lie."""
        return in_place(sources, progress=progress)
