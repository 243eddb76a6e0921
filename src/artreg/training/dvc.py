"""Reads a `.dvc` file: which data DVC tracks beside it, and their md5. DVC itself is not needed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from artreg.errors import IntegrityError, InvalidInput
from artreg.yamldoc import read_yaml

DVC_SUFFIX = ".dvc"
_MD5 = re.compile(r"[0-9a-f]{32}")


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
    outs = document.get("outs") if isinstance(document, dict) else None
    if not isinstance(outs, list) or len(outs) != 1 or not isinstance(outs[0], dict):
        raise InvalidInput(
            f"{shown} does not track exactly one file", hint="name a .dvc file that dvc add made of one file"
        )
    out = outs[0]
    name, md5, size = out.get("path"), out.get("md5"), out.get("size")
    if isinstance(md5, str) and md5.endswith(".dir"):
        raise InvalidInput(f"{shown} tracks a folder", hint="track the table's file by itself: dvc add data/table.csv")
    if not isinstance(name, str) or not isinstance(md5, str) or not _MD5.fullmatch(md5):
        raise InvalidInput(f"{shown} names no file with an md5", hint="run dvc add or dvc commit, and try again")
    target = PurePosixPath(name)
    if target.is_absolute() or ".." in target.parts or "\\" in name:
        raise InvalidInput(f"{shown} names data outside of its own folder: {name}", hint="move the data beside it")
    return Tracked(shown, str(PurePosixPath(shown).parent / target), md5, size if isinstance(size, int) else None)
