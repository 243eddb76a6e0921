"""What a consumer remembers: of each alias the newest record that was seen, so that nobody can show an older one.

The memory lies with the consumer, out of reach of whoever can write to the registry: a small file for each alias in a
folder of the user's. Storage that was set back to an earlier state, whole and self-consistent, is caught by this alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

from artreg.core import canonical
from artreg.core.names import Alias, ModelName, is_alias
from artreg.core.strict import parse_strictly, typed
from artreg.errors import IntegrityError, StorageError
from artreg.frozen import Frozen
from artreg.plainfile import replace_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

FORMAT = "artreg/seen/1"
AUTO = "auto"
"""In the place of a folder: the one for the state of programs (XDG_STATE_HOME)."""

_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class Seen(Frozen):
    """The newest record of an alias that a consumer saw.

    Attributes:
        registry: Where it was.
        model: The model.
        alias: The alias.
        generation: The number of the record.
        record: The sha256 of the record.
        version: Where the alias pointed.
        time: When it was first seen, RFC 3339 in UTC, by the consumer's clock.
    """

    registry: str
    model: ModelName
    alias: Alias
    generation: int
    record: str
    version: str
    time: str

    def encode(self) -> bytes:
        """Return the bytes that are stored."""
        return canonical.dumps({"format": FORMAT, **self.document()})

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "registry": self.registry,
            "project": self.model.project,
            "model": self.model.model,
            "alias": str(self.alias),
            "generation": self.generation,
            "record": self.record,
            "version": self.version,
            "time": self.time,
        }


class Memory(Frozen):
    """What was seen of one registry.

    Attributes:
        folder: Where it is kept.
        registry: Which registry: its root, and the server that it lies on where the root does not say.
    """

    folder: str
    registry: str

    def recall(self, model: ModelName, alias: Alias) -> Seen | None:
        """Return what was seen of an alias, or None if nothing was.

        Raises:
            IntegrityError: What is remembered is damaged.
            StorageError: It cannot be read.
        """
        path = self._path(model, alias)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(
                f"what was seen of {model}@{alias} cannot be read: {error}", hint="see the setting seen"
            ) from error
        return _parsed(data, path)

    def learn(self, model: ModelName, alias: Alias, generation: int, record: str, version: str) -> None:
        """Remember a record, unless a newer one is remembered; a folder that can only be read stays as it is.

        Raises:
            IntegrityError: What is remembered is damaged.
            StorageError: It cannot be written.
        """
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        seen = Seen(self.registry, model, alias, generation, record, version, now)
        try:
            self._learn(seen)
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise StorageError(
                    f"what was seen of {model}@{alias} cannot be written: {error}", hint="see the setting seen"
                ) from error

    def forget(self, model: ModelName, alias: Alias) -> Seen | None:
        """Forget what was seen of an alias, be it damaged or not; return it if it could be read.

        Raises:
            StorageError: It cannot be removed.
        """
        try:
            seen = self.recall(model, alias)
        except IntegrityError:
            seen = None
        _remove(self._path(model, alias))
        return seen

    def all(self) -> Iterator[Seen]:
        """Yield all that was seen of the registry, in order.

        Raises:
            IntegrityError: Something that is remembered is damaged.
            StorageError: It cannot be read.
        """
        try:
            names = sorted(name for name in os.listdir(self.folder) if name.endswith(".json"))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(f"{self.folder} cannot be read: {error}", hint="see the setting seen") from error
        for name in names:
            path = os.path.join(self.folder, name)
            with open(path, "rb") as file:
                seen = _parsed(file.read(), path)
            if seen.registry == self.registry:
                yield seen

    def _learn(self, seen: Seen) -> None:
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        path = self._path(seen.model, seen.alias)
        lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one who saw less must not write over one who saw more
            there = self.recall(seen.model, seen.alias)
            if there is None or there.generation < seen.generation:
                replace_plain(path, seen.encode())
        finally:
            os.close(lock)

    def _path(self, model: ModelName, alias: Alias) -> str:
        name = canonical.digest(f"{self.registry}\n{model}@{alias}".encode())
        return os.path.join(self.folder, f"{name[:32]}.json")


def memory(seen: str, root: str, endpoint_url: str | None = None) -> Memory:
    """Return what a consumer remembers of a registry.

    Args:
        seen: The folder, or `auto`.
        root: The registry's root.
        endpoint_url: The S3 server, where one is named: the same bucket elsewhere is another registry.
    """
    return Memory(_folder() if seen == AUTO else os.path.expanduser(seen), place_of(root, endpoint_url))


def place_of(root: str, endpoint_url: str | None = None) -> str:
    """Return what a registry is called where several are remembered: its root, and the server of a bucket."""
    elsewhere = "://" in root
    server = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return f"{root} at {server}" if elsewhere and server else root if elsewhere else os.path.realpath(root)


def _folder() -> str:
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "artreg", "seen")


def _parsed(data: bytes, path: str) -> Seen:
    try:
        return parse_strictly(data, "what was seen", FORMAT, _from_document)
    except IntegrityError as error:
        raise IntegrityError(
            f"{path} is damaged: {error.message}",
            hint="artreg forget removes it; the next look then counts as the first",
        ) from error


def _from_document(document: Mapping[str, Any]) -> Seen:
    alias = typed(document, "alias", str)
    if not is_alias(alias):
        raise ValueError(f"{alias!r} is not an alias")
    return Seen(
        registry=typed(document, "registry", str),
        model=ModelName(typed(document, "project", str), typed(document, "model", str)),
        alias=Alias(alias),
        generation=typed(document, "generation", int),
        record=typed(document, "record", str),
        version=typed(document, "version", str),
        time=typed(document, "time", str),
    )


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StorageError(f"{path} cannot be removed: {error}", hint="see the setting seen") from error
