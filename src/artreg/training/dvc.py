"""Reads a `.dvc` file: which data DVC tracks beside it, and their md5. DVC itself is not needed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from artreg.core.dvc import tracked
from artreg.errors import IntegrityError, InvalidInput
from artreg.yamldoc import read_yaml

DVC_SUFFIX = ".dvc"


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a `.dvc` file says of the data beside it.

    Attributes:
        file: The `.dvc` file, as it was named.
        data_path: The data, relative to the folder that the `.dvc` file's own path is relative to.
        md5: The md5 of the data's bytes; DVC's choice, which guards against mistakes and not against anybody.
        size: Bytes, where the file says so.
    """

    file: str
    data_path: str
    md5: str
    size: int | None

    def require(self, data: bytes) -> None:
        """Return if these are the data.

        Raises:
            IntegrityError: They are not.
        """
        found = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if found != self.md5 or self.size not in (None, len(data)):
            raise IntegrityError(
                f"{self.data_path} is not what {self.file} names: its md5 is {found}, not {self.md5}",
                hint="get the data back with dvc checkout, or take the new data in with dvc add",
            )

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"file": self.file, "path": self.data_path, "md5": self.md5, "size": self.size}


def read_tracked(path: Path, shown: str) -> Tracked:
    """Read a `.dvc` file that tracks one file.

    Args:
        path: The `.dvc` file.
        shown: Its name for people, relative to the base folder.

    Raises:
        InvalidInput: It is not there, is no such file, or tracks a folder or something that was never hashed.
    """
    document = read_yaml(path, "DVC file")
    outs = tracked(document)
    if len(outs) != 1:
        raise InvalidInput(
            f"{shown} does not track exactly one file", hint="name a .dvc file that dvc add made of one file"
        )
    out = outs[0]
    if out.folder:
        raise InvalidInput(f"{shown} tracks a folder", hint="track the table's file by itself: dvc add data/table.csv")
    if not out.md5:
        raise InvalidInput(f"{shown} names no file with an md5", hint="run dvc add or dvc commit, and try again")
    target = PurePosixPath(out.path)
    if target.is_absolute() or ".." in target.parts or "\\" in out.path:
        raise InvalidInput(f"{shown} names data outside of its own folder: {out.path}", hint="move the data beside it")
    return Tracked(shown, str(PurePosixPath(shown).parent / target), out.md5, out.size)
