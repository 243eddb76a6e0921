"""What a folder holds that is to become a version, hashed and checked."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from artreg.core import canonical, keys
from artreg.core.manifest import MANIFEST, METRICS, RUN, Manifest, check_file_name, is_model_file
from artreg.core.names import ModelName
from artreg.core.run_record import supplied_run
from artreg.errors import IntegrityError, InvalidInput
from artreg.frozen import Frozen
from artreg.plainfile import is_trouble, read_plain
from artreg.registry.handle import Registry
from artreg.registry.progress import Reporter
from artreg.store.interface import READ_LIMIT, TreeFile


class Parcel(Frozen):
    """What is to be published.

    Attributes:
        model: The model.
        files: Every file but run.json and the manifest, with its size and sha256.
        metrics: What its metrics.json says; empty if there is none.
        run: What is known of the run.
    """

    model: ModelName
    files: tuple[TreeFile, ...]
    metrics: Mapping[str, object]
    run: Mapping[str, Any]

    @property
    def content(self) -> str:
        """The digest of the files: equal for two runs that gave the same bytes."""
        return Manifest.of({file.name: file.sha256 for file in self.files}).digest

    @property
    def axes(self) -> object:
        """What the run was a function of, or None where that is not known."""
        return self.run.get("axes")


@contextmanager
def packed(
    registry: Registry,
    model: ModelName,
    folder: Path,
    run: Mapping[str, Any] | None,
    reporter: Reporter,
    *,
    link: bool = False,
    dry_run: bool = False,
) -> Iterator[Parcel]:
    """Take stock of a folder that is to become a version; what the store made of it is gone at the end.

    Args:
        registry: Where it is to go.
        model: The model.
        folder: Holds `model.<ext>` or `model/`, and may hold metrics.json, run.json and whatever else belongs to it.
        run: What is known of the run; by default what the folder's own run.json says.
        reporter: Told of the bytes that were hashed.
        link: Whether the files may become part of the registry as they are.
        dry_run: Whether they are only to be looked at.

    Raises:
        InvalidInput: The folder is not fit to be a version.
        IntegrityError: It does not match its own checksum.txt.
        StorageError: Storage refuses to take it in.
    """
    paths = _files(folder)
    if not any(is_model_file(name) for name in paths):
        raise InvalidInput(
            f"{folder} holds no model", hint="a version needs a file model.<ext>, or a folder model/ with files in it"
        )
    models = {name.partition("/")[0] for name in paths if is_model_file(name)}
    if len(models) > 1:
        raise InvalidInput(
            f"{folder} holds several models: {', '.join(sorted(models))}",
            hint="publish each under its own name, or put what belongs together into one folder model/",
        )
    supplied = _document(paths.pop(RUN), RUN) if RUN in paths else {}
    metrics = _document(paths[METRICS], METRICS) if METRICS in paths else {}
    own = paths.pop(MANIFEST, None)
    sources = dict(sorted(paths.items()))
    progress = reporter.step(f"read {folder.name}", sum(path.stat().st_size for path in sources.values()))
    taken = registry.store.staged(keys.model_prefix(model), sources, link=link, dry_run=dry_run, progress=progress)
    with taken as files:
        if own is not None:
            _check_own_manifest(own, files, folder)
        yield Parcel(model, files, metrics, supplied_run(supplied) if run is None else dict(run))


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder", hint="name the folder that holds model.* or model/")
    found: dict[str, Path] = {}
    for parent, folders, names in os.walk(folder, onerror=_raise):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in (*names, *links):
            path = Path(parent) / name
            relative = path.relative_to(folder).as_posix()
            if not stat.S_ISREG(path.lstat().st_mode):
                raise InvalidInput(
                    f"{relative!r} in {folder} is a link or something else that is no plain file",
                    hint="put the file itself there",
                )
            if relative != MANIFEST:
                check_file_name(relative)
            found[relative] = path
    return found


def _raise(error: OSError) -> None:
    if is_trouble(error):
        raise error
    raise InvalidInput(
        f"cannot read {error.filename}: {error.strerror}", hint="name a folder that can be read"
    ) from error


def _document(path: Path, name: str) -> dict[str, Any]:
    try:
        return canonical.loads(read_plain(path, READ_LIMIT), name)
    except (OSError, IntegrityError) as error:
        if isinstance(error, OSError) and is_trouble(error):
            raise
        raise InvalidInput(
            f"cannot use {path}: {_reason(error)}", hint=f"{name} must be one JSON object without NaN or infinities"
        ) from error


def _check_own_manifest(path: Path, files: tuple[TreeFile, ...], folder: Path) -> None:
    """A folder that was pulled brings its own manifest along: what it lists must be what is there."""
    try:
        manifest = Manifest.parse(read_plain(path, READ_LIMIT), str(folder))
    except OSError as error:
        if is_trouble(error):
            raise
        raise InvalidInput(f"cannot use {path}: {_reason(error)}", hint="remove it, or put the file back") from error
    listed = {name: sha256 for name, sha256 in manifest.files.items() if name != RUN}
    if listed != {file.name: file.sha256 for file in files}:
        raise IntegrityError(
            f"the files in {folder} do not match its own {MANIFEST}",
            hint=f"if they were changed on purpose, remove {path} and publish again",
        )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def small_file(name: str, data: bytes) -> TreeFile:
    """Return a file of a version whose bytes are at hand."""
    return TreeFile(name, data, len(data), canonical.digest(data))
