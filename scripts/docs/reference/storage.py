"""What lies where in a registry, by the functions that make its keys and the values that are stored under them."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from artreg.core import keys, record, run_record, signature, snapshot, told, verification, version_event
from artreg.core.names import Alias, ModelName
from artreg.core.policy_record import FORMAT as POLICY
from artreg.core.policy_record import PolicyRecord
from artreg.core.version import Version
from reference import docstrings
from reference.markdown import page as whole
from reference.markdown import plain, table

MODEL, VERSION, ALIAS, SHA256 = ModelName("demo", "churn"), Version.parse("1.2.1"), Alias("prod"), "507b7e22…"

KEYS: tuple[tuple[str, Callable[..., str]], ...] = (
    (keys.version_prefix(MODEL, VERSION), keys.version_prefix),
    (keys.manifest_key(MODEL, VERSION), keys.manifest_key),
    (keys.pointer_key(MODEL, ALIAS), keys.pointer_key),
    (keys.record_key(MODEL, ALIAS, 3), keys.record_key),
    (keys.event_key(MODEL, VERSION, 1), keys.event_key),
    (keys.yank_mark_key(MODEL, VERSION), keys.yank_mark_key),
    (keys.signatures_prefix(MODEL, VERSION), keys.signatures_prefix),
    (keys.policy_key(1), keys.policy_key),
    (keys.verifications_prefix(MODEL), keys.verifications_prefix),
    (keys.told_prefix("deploy", MODEL, ALIAS), keys.told_prefix),
    (keys.snapshot_prefix("churn", SHA256, copied=True), keys.snapshot_prefix),
)

FILES = {
    "model.*": "the model, in one file; or a folder `model/` of several",
    "metrics.json": "the figures; the same inputs give the same bytes",
    "run.json": "what it is, and what made it: code, environment, config, data, seeds, time, machine",
    "data_manifest.json": "the data: digest, schema, split, and a profile of each column",
    "predictions.csv.gz": "ids, labels and scores of the test rows, so that versions can be compared on the same rows",
    "sample.json": "features of some test rows, to try the model on",
    "config.yaml": "the training config, with every default spelt out",
    "uv.lock": "the environment, every package by its hash",
    "requirements.txt": "the same pins, for pip",
    "conda-explicit.txt": "the packages that conda installed, if it did",
    "README.md": "the model card, where somebody wrote one",
    "checksum.txt": "the manifest: the sha256 of every other file, as `sha256sum` writes it. A version exists if and "
    "only if this file does.",
}
"""The files of a version."""

DOCUMENTS: tuple[tuple[str, str, type], ...] = (
    ("Promotion record", record.FORMAT, record.PromotionRecord),
    ("Version event", version_event.FORMAT, version_event.VersionEvent),
    ("Run record, run.json", run_record.FORMAT, run_record.RunRecord),
    ("Snapshot", snapshot.FORMAT, snapshot.Snapshot),
    ("Signed statement", signature.FORMAT, signature.Statement),
    ("Policy record", POLICY, PolicyRecord),
    ("Verifications", verification.FORMAT, verification.Verifications),
    ("What a hook was told", told.FORMAT, told.Told),
)


def page() -> str:
    """Return the page."""
    return whole(
        "Storage layout",
        "A registry is files under a root, a folder or a prefix of a bucket. `ls`, `cat`, `readlink`, `sha256sum` and "
        "any S3 client read it. Whoever writes to it by other means than artreg breaks a promise that "
        "`artreg verify` then names.\n",
        "## Keys\n",
        table(("key", "is"), ((f"`{key}`", _returned(function)) for key, function in KEYS)),
        "On a disk a pointer is a relative symbolic link, in a bucket a small object. In a bucket there is also "
        "`.artreg/conditional-writes`, left by the probe that found the bucket sound. `.artreg-tmp-…` is what somebody "
        "is writing just now, or left when it died: `artreg gc` takes it. What `artreg repair` put aside lies in "
        "`.artreg/damaged/`.\n",
        "## Files of a version\n",
        table(("file", "holds"), ((f"`{name}`", text) for name, text in FILES.items())),
        "A version that was published from a folder has what was in the folder, `run.json` and `checksum.txt`.\n",
        "## Documents\n",
        "What machines write is canonical JSON: sorted keys, ASCII, indented by two, one newline at the end. A reader "
        "writes it again and compares the bytes. Each document names its format with a number; a format that has been "
        "released stays readable.\n",
        *(part for title, form, kind in DOCUMENTS for part in _document(title, form, kind)),
    )


def _returned(function: Callable[..., str]) -> str:
    text = inspect.cleandoc(function.__doc__ or "").partition("\n")[0]
    return plain(text.removeprefix("Return the ").removeprefix("key of ").removeprefix("key ").rstrip("."))


def _document(title: str, form: str, kind: type) -> tuple[str, str, str]:
    words = docstrings.attributes(kind)
    return (
        f"### {title}\n",
        f"`{form}`. {plain(docstrings.parse(kind.__doc__).text)}\n",
        table(("holds", "meaning"), ((f"`{name}`", plain(text)) for name, text in words.items())),
    )
