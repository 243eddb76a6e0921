"""What writers that died left behind in a folder, and how well the disk below it does."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from artreg.errors import InvalidInput
from artreg.store.disk import remove_quietly, writing
from artreg.store.folders import is_folder, remove_tree
from artreg.store.interface import Entry, Finding, Kind, Leftover, check_key
from artreg.store.local_reading import LocalReader
from artreg.store.local_root import sync_unless_gone
from artreg.store.names import is_own, is_temporary, temporary_name

_ENOUGH = 2**30
_SKEW = 60.0


class LocalKeeper(LocalReader):
    """Finds and removes leftovers, and looks at the disk."""

    def leftovers(self) -> Iterator[Leftover]:
        """Yield temporary files and folders, and what a probe that died left behind."""
        rest = self._level("", "")
        while rest:
            entry = rest.pop()
            if is_temporary(entry.name.rpartition("/")[2]):
                yield self._leftover(entry)
            elif entry.kind is Kind.FOLDER:
                rest += self._level("", entry.name)
            elif is_own(entry.name):
                yield Leftover(entry.name, token="", size=entry.size, modified=entry.modified)

    def discard(self, leftover: Leftover) -> None:
        """Take a leftover out of its writer's reach by renaming it, then remove it."""
        if not is_own(check_key(leftover.key)):
            raise InvalidInput(f"{leftover.key} is no leftover")
        path = self._place(leftover.key)
        doomed = os.path.join(os.path.dirname(path), temporary_name())
        with writing(leftover.key, "removed"):
            try:
                os.rename(path, doomed)
            except (FileNotFoundError, NotADirectoryError):
                return
            with contextlib.suppress(FileNotFoundError):  # somebody else is cleaning up too
                if is_folder(doomed):
                    remove_tree(doomed, quietly=False)
                else:
                    os.unlink(doomed)
            sync_unless_gone(os.path.dirname(path))
            self._remove_emptied(leftover.key)

    def diagnose(self) -> Iterator[Finding]:
        """Yield how much space there is, and whether the file system's clock agrees with this machine's."""
        with writing(self._url, "examined"):
            figures = os.statvfs(self._root)
            free = figures.f_bavail * figures.f_frsize
        yield Finding(
            "space",
            ok=free >= _ENOUGH,
            message=f"{free / 2**30:,.1f} GiB are free",
            hint="" if free >= _ENOUGH else "Free some space before a model is published.",
        )
        with writing(self._url, "written"):
            _, temporary, descriptor = self._temporary_file("")
            skew = os.fstat(descriptor).st_mtime - time.time()
            os.close(descriptor)
            remove_quietly(os.unlink, temporary)
        yield Finding(
            "clock",
            ok=abs(skew) < _SKEW,
            message=f"the file system's clock differs from this machine's by {abs(skew):.0f} s",
            hint="" if abs(skew) < _SKEW else "Set both clocks; what counts as a leftover depends on them.",
        )

    def _leftover(self, entry: Entry) -> Leftover:
        size, modified = entry.size, entry.modified
        if entry.kind is Kind.FOLDER:
            for inner in self.walk(entry.name):
                size += inner.size
                modified = max(modified, inner.modified)
        return Leftover(entry.name, token="", size=size, modified=modified)
