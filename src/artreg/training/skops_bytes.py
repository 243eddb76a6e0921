"""Writes estimators as skops, so that equal models give equal bytes.

skops names every part of a model by its address in memory and stamps its archive with the present time. Neither says
anything of the model: the parts are numbered anew in the order in which the schema names them, and the archive is
written without a clock.
"""

from __future__ import annotations

import gc
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from artreg.errors import IntegrityError, InvalidInput
from artreg.inspection.archives import checked_archive
from artreg.inspection.skops_schema import SCHEMA_FILE, read_schema
from artreg.training.standalone import TRUSTED
from artreg.training.trees import check_trees

TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"

_NO_TIME = (1980, 1, 1, 0, 0, 0)


def stored(estimator: Any) -> tuple[bytes, Any] | None:
    """Return a fitted estimator as skops, and as it is read back, or None where that would take running code."""
    import skops.io

    try:
        with _no_collection():
            data = _normalised(skops.io.dumps(estimator))
            return data, load(io.BytesIO(data), "the model")
    except (TypeError, NotImplementedError, InvalidInput, IntegrityError):  # skops cannot write it, or not read it back
        return None


def load(file: IO[bytes], what: str, types: Sequence[str] = ()) -> Any:
    """Return the estimator that an archive holds; nothing but types that the reader trusts is made.

    Args:
        file: The archive; its limits are checked before anything of it is unpacked.
        what: Its name, for errors.
        types: Full names of types that the reader trusts besides those that skops and `TRUSTED` name.

    Raises:
        InvalidInput: It needs other types, which `details["types"]` lists, or other packages than those here.
        IntegrityError: It is damaged, beyond a limit, or no estimator.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    with checked_archive(file, what) as archive:
        read_schema(archive, what)
    try:
        made = skops.io.load(file, trusted=[*TRUSTED, *types])
    except UntrustedTypesFoundException:
        unknown = untrusted_types(file, types)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(
            f"{what} cannot be made with the packages here: {error}", hint="its uv.lock says which it was made with"
        ) from error
    except Exception as error:  # whatever skops stumbles over, it is the archive that is wrong
        raise IntegrityError(f"{what} is no model that skops can read: {type(error).__name__}: {error}") from error
    else:
        if TREES not in types:
            check_trees(made, what)
        return made
    raise InvalidInput(
        f"{what} needs types that nobody here trusts: {', '.join(unknown)}",
        hint=f"if you know them, load it with types={list(unknown)!r}",
        types=list(unknown),
    )


def untrusted_types(file: IO[bytes], types: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the types that an archive needs and that neither skops, `TRUSTED` nor `types` names.

    Nothing of it is made. Its limits must have been checked.

    Raises:
        IntegrityError: It is no archive that skops can read.
    """
    return tuple(name for name, who in trusted_by(file, types).items() if not who)


def trusted_by(file: IO[bytes], types: Sequence[str] = ()) -> dict[str, str]:
    """Return who trusts the types that an archive needs and that skops does not trust by itself; '' for nobody.

    Raises:
        IntegrityError: It is no archive that skops can read.
    """
    import skops.io

    named: Any = file  # skops takes files, and says that it takes paths
    file.seek(0)
    try:
        needed = skops.io.get_untrusted_types(file=named)
    except Exception as error:  # whatever skops stumbles over, it is the archive that is wrong
        raise IntegrityError(f"skops cannot read it: {type(error).__name__}: {error}") from error
    finally:
        file.seek(0)
    return {name: "artreg" if name in TRUSTED else "you" if name in types else "" for name in sorted(needed)}


@contextmanager
def _no_collection() -> Iterator[None]:
    """Put garbage collection off: a schema is a tree of many small parts, and to look for cycles in it is in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _normalised(raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[Any, int] = {}
    names: dict[str, str] = {}
    schema = _renumbered(json.loads(members.pop(SCHEMA_FILE)), numbers, names)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for old, new in sorted(names.items(), key=lambda pair: pair[1]):
            archive.writestr(_entry(new), members[old])
        archive.writestr(_entry(SCHEMA_FILE), json.dumps(schema, indent=2, ensure_ascii=True))
    return buffer.getvalue()


def _renumbered(node: Any, numbers: dict[Any, int], names: dict[str, str]) -> Any:
    """Return a part of the schema with ids and file names in the order of their first appearance."""
    if isinstance(node, list):
        return [_renumbered(item, numbers, names) for item in node]
    if not isinstance(node, Mapping):
        return node
    result: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__":
            result[key] = numbers.setdefault(value, len(numbers) + 1)
        elif key == "file" and isinstance(value, str):
            result[key] = names.setdefault(value, f"{len(names) + 1:06d}{value[value.rindex('.') :]}")
        else:
            result[key] = _renumbered(value, numbers, names)
    return result


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_NO_TIME)
    entry.create_system = 3  # the same whatever the system
    entry.external_attr = 0o644 << 16
    return entry
