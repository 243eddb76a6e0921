"""What DVC writes of the data that it tracks, in `.dvc` files and in `dvc.lock`. DVC itself is not needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from artreg.frozen import Frozen

_MD5 = r"([0-9a-f]{32})(?:\.dir)?"


class Output(Frozen):
    """A file or folder that DVC tracks.

    Attributes:
        path: Where it lies, as it was written: relative to the folder of the document, or to what that calls its
            working directory. It was not checked.
        md5: The md5 of its bytes, or of the list of a folder's files; '' if it was never hashed.
        folder: Whether it is a folder.
        size: Bytes, None where that is not said.
        old: Whether DVC 2 hashed it, which took text as if its lines ended as they do on Unix.
        remote: The name of the remote that it goes to, '' for the default one.
    """

    path: str
    md5: str
    folder: bool
    size: int | None
    old: bool
    remote: str


def tracked(document: object) -> tuple[Output, ...]:
    """Return the outputs of a `.dvc` file that was read; there are none in what is no such document."""
    outs = document.get("outs") if isinstance(document, dict) else None
    return tuple(_outputs(outs))


def locked(document: object) -> tuple[tuple[str, Output], ...]:
    """Return the outputs of a `dvc.lock` that was read, each with the name of its stage."""
    stages = document.get("stages") if isinstance(document, dict) else None
    named = stages.items() if isinstance(stages, dict) else ()
    return tuple(
        (str(name), out) for name, stage in named if isinstance(stage, dict) for out in _outputs(stage.get("outs"))
    )


def _outputs(outs: object) -> Iterator[Output]:
    for out in outs if isinstance(outs, list) else ():
        if not isinstance(out, dict) or not isinstance(out.get("path"), str):
            continue
        md5, size, remote = out.get("md5"), out.get("size"), out.get("remote")
        found = re.fullmatch(_MD5, md5) if isinstance(md5, str) else None
        whole = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        yield Output(
            out["path"],
            found[1] if found else "",
            isinstance(md5, str) and md5.endswith(".dir"),
            size if whole else None,
            out.get("hash") != "md5",
            remote if isinstance(remote, str) else "",
        )
