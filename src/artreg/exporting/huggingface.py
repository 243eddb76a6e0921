"""A version as a repository of the Hugging Face Hub: a folder for `hf upload`, or to be committed and pushed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from artreg.card import blanks, draft_card, front_matter_trouble, has_front_matter, with_front_matter
from artreg.core import canonical
from artreg.core.manifest import CARD, MANIFEST, RUN
from artreg.core.wording import plural
from artreg.exporting.folder import Exported, Whole, find_whole, write_folder
from artreg.exporting.sample import read_sample
from artreg.exporting.sklearn_config import sklearn_config
from artreg.frozen import replace
from artreg.registry.handle import Registry
from artreg.registry.parcel import small_file
from artreg.registry.progress import SILENT, Reporter
from artreg.registry.resolve import Resolved
from artreg.store.interface import TreeFile

SUMS = "SHA256SUMS"
"""The checksums of a repository that differs from the version, so that checksum.txt does not fit all of it."""

_ATTRIBUTES = ".gitattributes"
_CONFIG = "config.json"
_LARGE = 10 * 2**20  # bytes; a push with a larger file that is not in LFS is refused
_LFS = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gguf *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy *.npz "
    "*.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.skops *.tar.* *.tar "
    "*.tflite *.tgz *.ubj *.wasm *.xz *.zip *.zst *tfevents*"
)


def export_huggingface(registry: Registry, found: Resolved, out: Path, *, reporter: Reporter = SILENT) -> Exported:
    """Write a version into a new folder as a repository of the Hugging Face Hub.

    The files keep their places, so that `sha256sum -c checksum.txt` passes there, with two exceptions: what lies in
    the folder model/ goes to the top, where the hub's libraries look for it, and a card without a front matter gets
    one. Then there is SHA256SUMS, which fits.

    Raises:
        NotFound: There is no such version.
        IntegrityError: It is damaged; nothing was left behind.
        AlreadyExists: The folder holds something.
        InvalidInput: The folder cannot be named so.
        StorageError: The version cannot be read, or the folder cannot be written.
    """
    whole = find_whole(registry, found)
    placed = _placed(whole.files)
    card, trouble = _card(registry, whole, placed)
    made = {CARD: card.encode(), _ATTRIBUTES: _attributes(placed), **_config(registry, whole)}
    files = {name: replace(file, name=name) for name, file in placed.items()}
    for name, data in made.items():
        if name == CARD or name not in files:
            files[name] = small_file(name, data)
    notes = [trouble] if trouble else []
    if any(file.name.startswith("model/") and file is placed.get(file.name) for file in whole.files):
        notes.append("model/ stays a folder, since names in it lie beside it too; the hub's libraries look at the top")
    if blanks(card):
        notes.append(f"{CARD} has {plural(blanks(card), 'place')} that somebody must fill in")
    if any(name not in files or files[name].sha256 != sha256 for name, sha256 in whole.origin.manifest.files.items()):
        sums = f"artreg-{SUMS}" if SUMS in files else SUMS
        files[sums] = small_file(sums, _sums(files.values()))
        notes.append(f"{MANIFEST} is the version's, which this folder differs from: sha256sum -c {sums} fits it")
    return write_folder(
        whole,
        "huggingface",
        list(files.values()),
        out,
        marks=(RUN, MANIFEST),
        editable=CARD,
        details={"blanks": blanks(card)},
        notes=tuple(notes),
        reporter=reporter,
    )


def _placed(files: Sequence[TreeFile]) -> dict[str, TreeFile]:
    """Return a version's files by where they go: what lies in model/ to the top, unless something else lies there."""
    inner = {file.name.removeprefix("model/"): file for file in files if file.name.startswith("model/")}
    outer = {file.name: file for file in files if not file.name.startswith("model/")}
    if {name.partition("/")[0] for name in inner} & {name.partition("/")[0] for name in outer}:
        return {file.name: file for file in files}
    return outer | inner


def _card(registry: Registry, whole: Whole, placed: Mapping[str, TreeFile]) -> tuple[str, str]:
    """Return the card of the repository, and what the hub may find fault with in it."""
    own = whole.read(registry, placed[CARD].name).decode("utf-8", "replace") if CARD in placed else ""
    if not own.strip():
        return draft_card(whole.origin), ""
    if not has_front_matter(own):
        return with_front_matter(whole.origin, whole.origin.manifest.files, own), ""
    trouble = front_matter_trouble(own)
    return own, f"the hub may refuse {CARD}: {trouble}" if trouble else ""


def _config(registry: Registry, whole: Whole) -> dict[str, bytes]:
    """Return the config by which the hub, and skops, know a scikit-learn model; nothing for other models."""
    config = sklearn_config(whole.origin, read_sample(registry, whole))
    return {} if config is None else {_CONFIG: canonical.dumps(config)}


def _attributes(placed: Mapping[str, TreeFile]) -> bytes:
    """Return which files git keeps in LFS, and that it alters none."""
    large = [f"/{name}" for name, file in placed.items() if file.size > _LARGE]
    patterns = [*_LFS.split(" "), *(_pattern(name) for name in large)]
    lines = ["* -text", *(f"{pattern} filter=lfs diff=lfs merge=lfs -text" for pattern in patterns)]
    return "\n".join([*lines, ""]).encode()


def _pattern(name: str) -> str:
    """Return a pattern of git's that means one file."""
    escaped = re.sub(r"([*?\[])", r"\\\1", name)
    if not re.search(r'[\s"]', escaped):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _sums(files: Iterable[TreeFile]) -> bytes:
    return "".join(sorted(f"{file.sha256}  {file.name}\n" for file in files)).encode()
