"""Which file of a folder is the model, and how the folder is laid out as a version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from artreg.core.manifest import DOCUMENTS, MANIFEST, check_file_name, is_model_file
from artreg.errors import InvalidInput

MODELS = {
    *(".bst", ".cbm", ".ckpt", ".gguf", ".h5", ".joblib", ".keras", ".onnx", ".pickle", ".pkl", ".pmml"),
    *(".pt", ".pth", ".safetensors", ".skops", ".tflite", ".ubj"),
}
"""Suffixes of files that are models, whatever they are called."""

_INDEX = ".index.json"


APART = frozenset({*DOCUMENTS, MANIFEST})
"""Documents that stand beside a model, and mean something here."""


def arranged(names: Collection[str], apart: Collection[str] = APART) -> Mapping[str, str]:
    """Return where each file of a folder lies in the version that it becomes.

    What is laid out as a version already stays so: one `model.<ext>`, or `model/`. Otherwise the one file that is a
    model by its suffix, or the only file that there is, becomes `model.<ext>`; and where nothing tells which that
    would be, the whole folder goes below `model/`, but for the documents.

    Args:
        names: Paths relative to the folder.
        apart: Documents of the folder that are what artreg calls so.

    Raises:
        InvalidInput: There is no model, or a name cannot stand in a version.
    """
    rest = [name for name in names if name not in apart]
    if not rest:
        raise InvalidInput("it holds no model", hint="a version is a file such as model.joblib, or a folder of files")
    places = _as_it_is(rest) or _renamed(rest) or {name: f"model/{name}" for name in rest}
    for place in places.values():
        check_file_name(place)
    return {**{name: name for name in names}, **places}


def looks_like_a_model(name: str) -> bool:
    """Return whether a file is a model by its name."""
    return is_model_file(name) or PurePosixPath(name).suffix in MODELS


def _as_it_is(names: Collection[str]) -> Mapping[str, str] | None:
    """Return the names as they are, if they are those of a version."""
    models = {name.partition("/")[0] for name in names if is_model_file(name)}
    listing = any(model.endswith(_INDEX) for model in models)  # says in which files the model lies
    return None if len(models) != 1 or listing or not APART.isdisjoint(names) else {name: name for name in names}


def _renamed(names: Collection[str]) -> Mapping[str, str] | None:
    """Return the names with that of the one model changed, if there is one."""
    known = [name for name in names if PurePosixPath(name).suffix in MODELS] or list(names)
    suffix = PurePosixPath(known[0]).suffix
    if len(known) > 1 or "/" in known[0] or not suffix or any(map(is_model_file, names)):
        return None
    return _as_it_is([*(name for name in names if name != known[0]), f"model{suffix}"]) and {
        **{name: name for name in names},
        known[0]: f"model{suffix}",
    }
