"""Processes that import, and are killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from artreg.frozen import replace
from artreg.importing.bring import Brought
from artreg.importing.folder import FolderSource
from artreg.importing.naming import Naming
from artreg.importing.source import Survey
from artreg.registry.handle import Registry
from artreg.store.local import LocalStore
from artreg.store.object import ObjectStore
from artreg.store.s3 import S3Bucket
from artreg.store.s3_client import connect
from faults.children import Root
from importing.contract import bring_all

_CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir"}


class Withdrawing(FolderSource):
    """A folder of which somebody took back the last version that no link names."""

    def survey(self) -> Survey:
        found = super().survey()
        named = {(it.model, it.version) for it in found.aliases}
        gone = [it for it in found.versions if (it.model, it.version) not in named][-1]
        versions = (replace(it, withdrawn="worse" if it == gone else "") for it in found.versions)
        return replace(found, versions=tuple(versions))


def moved(place: str, root: str) -> Brought:
    """Import a folder into a registry on this disk."""
    naming = Naming("demo", {})
    return bring_all(Registry(LocalStore(Path(root)), "ada"), Withdrawing(place, naming), naming)


def brings_and_dies(place: str, root: str, at: int) -> None:
    """Import, and be killed where something is written for the `at`-th time."""
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in _CHANGES:
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    moved(place, root)


def brings_into_a_bucket_and_dies(place: str, root: Root, at: int) -> None:
    """Import into a bucket, and be killed when the `at`-th request was answered."""
    from botocore.httpsession import URLLib3Session

    send, answered = URLLib3Session.send, 0

    def counted(session: URLLib3Session, request: object) -> object:
        nonlocal answered
        answer = send(session, request)
        answered += 1
        if answered == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    URLLib3Session.send = counted
    naming = Naming("demo", {})
    store = ObjectStore(S3Bucket(root.bucket, root.prefix, root.options, connect))
    bring_all(Registry(store, "ada"), Withdrawing(place, naming), naming)
