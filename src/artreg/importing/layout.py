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

_APART = {*DOCUMENTS, MANIFEST}


def arranged(names: Collection[str]) -> Mapping[str, str]:
    """Return where each file of a folder lies in the version that it becomes.

    What is laid out as a version already stays so: one `model.<ext>`, or `model/`. Otherwise the one file that is a
    model by its suffix, or the only file that there is, becomes `model.<ext>`; and where nothing tells which that
    would be, the whole folder goes below `model/`, but for the documents that stand beside a model.

    Args:
        names: Paths relative to the folder.

    Raises:
        InvalidInput: There is no model, or a name cannot stand in a version.
    """
    rest = [name for name in names if name not in _APART]
    if not rest:
        raise InvalidInput("it holds no model", hint="a version is a file such as model.joblib, or a folder of files")
    places = {name: name for name in names}
    if len({name.partition("/")[0] for name in rest if is_model_file(name)}) != 1:
        one = _the_model(rest)
        places |= {one: f"model{PurePosixPath(one).suffix}"} if one else {name: f"model/{name}" for name in rest}
    for place in places.values():
        if place != MANIFEST:
            check_file_name(place)
    return places


def looks_like_a_model(name: str) -> bool:
    """Return whether a file is a model by its name."""
    return is_model_file(name) or PurePosixPath(name).suffix in MODELS


def _the_model(names: Collection[str]) -> str | None:
    """Return the one file that is a model, of those that do not say so by lying under `model`."""
    if any(map(is_model_file, names)):
        return None  # several
    top = [name for name in names if "/" not in name]
    known = [name for name in names if PurePosixPath(name).suffix in MODELS]
    alone = known or (top if len(names) == 1 and PurePosixPath(top[0] if top else "").suffix else [])
    return alone[0] if len(alone) == 1 and alone[0] in top else None
