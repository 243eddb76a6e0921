"""What `--json` prints: each document as the command prints it, in a small registry that is made for the purpose."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

from artreg.cli.main import main
from artreg.cli.manual import pages
from reference.markdown import fence
from reference.markdown import page as whole

CONFIG = """\
name: iris
data: {path: "sklearn:iris", id_column: sample_id, target: label}
trainer: logistic_regression
"""

POLICY = """\
aliases: {staging: {}, prod: {gates: [{gate: from, alias: staging}]}}
"""

SCRIPT: tuple[str, ...] = (
    "init",
    "config show",
    "train --config iris.yaml",
    "train --config iris.yaml --set model.C=0.5 # the same again",
    "publish made --model churn --version 1.0.0",
    "publish made --model churn --version 1.1.0 # the same again",
    "import dir elsewhere",
    "check iris 1.0.0 --to staging",
    "promote iris 1.0.0 --to staging",
    "promote iris 1.0.1 --to staging # the same again",
    "rollback staging --model iris --reason 'odd scores'",
    "approve iris@1.0.0 --to prod --reason 'read it'",
    "approvals iris@1.0.0",
    "yank iris@1.0.1 --reason 'labels leaked'",
    "unyank iris@1.0.1 --reason 'they did not'",
    "freeze iris@staging --until 2099-01-01T00:00Z --reason holidays",
    "unfreeze iris@staging --reason 'back at work'",
    "confirm iris@staging",
    "list iris",
    "tree churn",
    "show churn@1.0.0",
    "resolve iris@staging",
    "metrics iris",
    "history iris@staging --limit 1",
    "inspect churn@1.0.0",
    "verify iris@staging",
    "pull churn@1.0.0 -o pulled",
    "lock churn@1.0.0 iris@staging",
    "outdated",
    "sync",
    "cache list",
    "cache path",
    "cache verify",
    "cache prune --max-size 1MiB",
    "cache clear",
    "site --out public",
    "repair",
    "mirror registry backup churn",
    "gc",
    "doctor",
    "access consumer -r s3://models/registry",
    "diff iris@1.0.0 iris@1.0.1",
    "drift iris@1.0.0 iris@1.0.1",
    "reproduce iris@1.0.0 --here",
    "export iris@1.0.0 --to cyclonedx -o iris.cdx.json",
    "export iris@1.0.0 --to oci -o iris-oci # to a folder",
    "card iris@1.0.0 -o README.md",
    "data list",
    "data show iris",
    "data verify",
    "data pull iris -o iris.csv",
    "data snapshot sklearn:wine --name wine",
    "policy show",
    "policy check policy.yaml",
    "policy push policy.yaml",
    "promote iris 1.0.1 --to prod # refused",
)
"""What is typed, in this order; what stands behind # is not shown, or is the heading."""

NONE = {
    "import mlflow": "as of `import dir`",
    "import gto": "as of `import dir`",
    "import pins": "as of `import dir`",
    "import huggingface": "as of `import dir`",
    "ui": "`url`, `port`, `registry`, once, before it serves",
    "watch": "a document a line; `event` is `record`, `said`, `damaged`, `trouble`, `recovered`; at last `error`",
    "sign": "`project`, `model`, `version`, `digest`, `who`, `format`, `signature`, `changed`, `dry_run`",
    "forget": "`alias`, `generation`, `when`: what was forgotten",
    "policy schema": "a JSON Schema",
    "help": "what the manual has of the command, as plain data",
    "man": "`roff`: the text of the page; with `--out`, `pages`",
    "completion": "`shell` and `script`; with `--install`, where it was put",
    "data churn": "`path`, `customers`",
    "hooks list": "`hooks`, each with `hook`, `target`, `models`, `aliases`, `actions`, `since`, `pending`, `problem`, "
    "and `told`: of each alias `generation`, `pending`, `oldest`, `failure`, `problem`, `skipped` (each `first`, "
    "`last`, `who`, `time`, `why`)",
    "hooks test": "`hook`, `target`, `id`, `type`, `delivered`, `answer`",
    "hooks flush": "`ok`, `hooks`, each with `hook`, `target`, `ok`, `delivered`, `left`, `problem`, and `told`: of "
    "each alias of which anything was due `delivered`, `generation`, `problem`; with `--dry-run` as `hooks list`",
    "hooks skip": "`hook`, `project`, `model`, `alias`, `skipped` (the generations), `dry_run`",
}
"""Commands without an example."""


def page() -> str:
    """Return the page."""
    shown = [
        part for words, note, text in documents() if note != "the same again" for part in _shown(words, note, text)
    ]
    return whole(
        "JSON documents",
        "With `--json` a command prints exactly one JSON document to stdout, on failure too; everything else goes to "
        "stderr. More keys may come; none of these changes its meaning or goes away. Below is what the commands "
        "print in "
        "one small registry, in the order in which they were typed; long lists and texts are cut, which `…` shows.\n",
        *shown,
        "## Others\n",
        "".join(f"- `artreg {name}`: {keys}.\n" for name, keys in NONE.items()),
    )


def names() -> list[str]:
    """Return the names of all commands."""
    return [" ".join(it.words) for it in pages()]


def documents() -> Iterator[tuple[str, str, str]]:
    """Run the script in a folder of its own; yield each command, what stands behind its #, and what it printed."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, _alone():
        os.chdir(folder)
        here = str(Path.cwd())
        try:
            _set_up()
            for line in SCRIPT:
                words, _, note = line.partition(" # ")
                printed = _printed([*shlex.split(words), "--json", "--actor", "ada@example.org"])
                if ("error" in json.loads(printed)) != (note == "refused"):
                    raise ValueError(f"artreg {words}: {printed}")
                yield words, note, printed.replace(here, "/home/ada")
        finally:
            os.chdir(before)


def _shown(words: str, note: str, text: str) -> tuple[str, str, str]:
    name = max((name for name in names() if f"{words} ".startswith(f"{name} ")), key=len)
    heading = f"{name}, {note}" if note else name
    return f"## {heading}\n", fence("bash", f"artreg {words} --json"), fence("json", _short(text))


def _printed(words: list[str]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        main(words)
    return out.getvalue()


def _set_up() -> None:
    Path("registry").mkdir()
    Path("elsewhere/fraud/3").mkdir(parents=True)
    Path("elsewhere/fraud/3/forest.onnx").write_text("weights\n")
    Path("made").mkdir()
    Path("made/model.txt").write_text("weights\n")
    Path("made/metrics.json").write_text('{"roc_auc": 0.9}')
    Path("iris.yaml").write_text(CONFIG)
    Path("policy.yaml").write_text(POLICY)
    os.environ["ARTREG_POLICY"] = "policy.yaml"


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep the settings of whoever builds the documentation out of it."""
    kept = dict(os.environ)
    for name in [
        name for name in os.environ if name.startswith(("ARTREG_", "AWS_", "GITHUB_", "MLFLOW_", "OPENLINEAGE_"))
    ]:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def _short(text: str) -> str:
    return json.dumps(_cut(json.loads(text)), indent=2, ensure_ascii=False)


_LONG, _MANY = 100, 4


def _cut(value: object) -> object:
    """Return a document of which long lists and texts show only how they begin."""
    if isinstance(value, dict):
        entries = list(value.items())
        kept = {key: _cut(each) for key, each in entries[: 5 * _MANY]}
        return {**kept, "…": "…"} if len(entries) > 5 * _MANY else kept
    if isinstance(value, list):
        return [*map(_cut, value[:2]), *(["…"] if len(value) > 2 else [])]
    if isinstance(value, str):
        value = re.sub(r"\b[0-9a-f]{32,}\b", lambda found: f"{found[0][:12]}…", value)
        return value if len(value) <= _LONG else f"{value[:_LONG]}…"
    return value
