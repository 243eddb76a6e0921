"""Names that every kind of storage agrees on: temporary ones, the store's own folder, and those inside a tree."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from artreg.errors import InvalidInput
from artreg.store.interface import OWN, TEMPORARY, TreeFile, check_key


def temporary_name() -> str:
    """Return a fresh name that no reader is shown."""
    return f".artreg-tmp-{os.urandom(16).hex()}"


def is_temporary(name: str) -> bool:
    """Return whether a store made `name` up for something on the way to its place."""
    return name.startswith(".") and re.fullmatch(TEMPORARY, name) is not None


def is_hidden(prefix: str, name: str) -> bool:
    """Return whether `name` directly under `prefix` is the store's own and no business of its callers."""
    return name.startswith(".") and (is_temporary(name) or (not prefix and name == OWN))


def is_own(key: str) -> bool:
    """Return whether what lies under `key` is for the store to clean up: temporary, or of a probe that died."""
    return is_temporary(key.rpartition("/")[2]) or key.startswith(f"{OWN}/probe-")


def check_prefix(prefix: str) -> str:
    """Return `prefix` if it is empty or can name a folder.

    Raises:
        InvalidInput: It cannot.
    """
    return check_key(prefix) if prefix else prefix


def is_segment(name: str) -> bool:
    """Return whether `name` can name one file or folder."""
    try:
        return "/" not in check_key(name)
    except InvalidInput:
        return False


def check_tree(prefix: str, files: Sequence[TreeFile], claim: str, seal: str) -> None:
    """See that `files` can make a tree under `prefix`.

    Raises:
        InvalidInput: A name is bad, temporary, stands twice or is a folder of another; or `claim` or `seal` is not
            among them with its bytes at hand.
    """
    names = {file.name for file in files}
    if len(names) != len(files):
        raise InvalidInput(f"a file stands twice among those for {prefix}")
    for name in names:
        check_key(f"{prefix}/{check_key(name)}")
        segments = name.split("/")
        if any(is_temporary(segment) for segment in segments):
            raise InvalidInput(f"{name!r} is a name that artreg keeps for itself", hint="rename the file")
        if any("/".join(segments[:depth]) in names for depth in range(1, len(segments))):
            raise InvalidInput(f"{name!r} has a file where a folder must be")
    at_hand = {file.name for file in files if isinstance(file.source, bytes)}
    if claim == seal or not {claim, seal} <= at_hand:
        raise InvalidInput(f"the tree for {prefix} lacks {claim!r} or {seal!r}")
