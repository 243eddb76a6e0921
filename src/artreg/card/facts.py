"""What is known of a model and how it came to be, as sections of its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from artreg.card.front_matter import is_number, test_metrics
from artreg.card.markdown import code, number, table
from artreg.core.comparison.facts import UNKNOWN, entries, leaves, section
from artreg.core.lineage import Making, Origin

_MOST_ROWS = 100
_MOST_SPLITS = 8
_SAFE = {"skops", "safetensors"}
_TRUSTED = {"joblib", "pkl", "pickle", "pt", "pth"}
_NO_TRAINING = {"bump", "card", "name", "project"}
_PACKAGES = ("artreg", "scikit-learn", "skops", "torch", "numpy", "pandas")


def fact_lines(making: Making, formats: frozenset[str]) -> list[str]:
    """Return the sections; equal runs have equal ones, but for what only a version that was published can say.

    Args:
        making: What is known; of a version also its number, its digest and when it was published.
        formats: The suffixes of the model's files, without dots.
    """
    sections = {
        "What it is": _summary(making),
        "Metrics": _metrics(making),
        "Data": _data(making),
        "Training": _training(making),
        "Environment": _environment(making),
        "Provenance": _provenance(making),
        "How to load and verify it": _loading(making, formats),
    }
    lines = [line for title, body in sections.items() for line in (f"## {title}", "", *body, "")]
    return lines[:-1]


def _summary(making: Making) -> list[str]:
    task, trained = making.task, making.architecture
    what = f"A {task} model" if task in {"classification", "regression"} else "A model"
    made = f", trained by {code(trained)} of artreg" if trained else ", made elsewhere and published by artreg"
    target = section(making.data or {}, "target").get("column")
    aim = f" It predicts {code(target)}." if target else ""
    return [f"{what}{made}.{aim}"]


def _metrics(making: Making) -> list[str]:
    columns, rows = metric_table(making)
    if not rows:
        return ["None are recorded."]
    return table(["metric", *map(_heading, columns)], [[code(key), *cells] for key, cells in rows])


def metric_table(making: Making) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return the splits of which there are figures, and of each metric its figure on each."""
    metrics = making.metrics or {}
    top: dict[str, Any] = dict(test_metrics(making))
    parts: dict[str, dict[str, Any]] = {"test" if "test" in metrics else "value": top}
    for name, part in sorted(metrics.items()):
        if isinstance(part, Mapping) and (figures := {key: value for key, value in part.items() if _is_figure(value)}):
            parts.setdefault(name, {}).update(figures)
    parts = {name: figures for name, figures in islice(parts.items(), _MOST_SPLITS) if figures}
    names = list(dict.fromkeys(key for figures in parts.values() for key in sorted(figures)))[:_MOST_ROWS]
    return list(parts), [(key, [_figure(part.get(key)) for part in parts.values()]) for key in names]


def _heading(split: str) -> str:
    return split if split in {"test", "train", "cv", "value"} else code(split)


def _is_figure(value: object) -> bool:
    return is_number(value) or (isinstance(value, Mapping) and is_number(value.get("mean")))


def _figure(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        spread = f" ± {number(value['std'])}" if is_number(value.get("std")) else ""
        return f"{number(value['mean'])}{spread}"
    return number(value)


def _data(making: Making) -> list[str]:
    data = making.data
    if data is None:
        return ["Which data it was made from is not recorded."]
    split, target = section(data, "split"), section(data, "target")
    facts = {
        "name": data.get("name"),
        "from": data.get("uri"),
        "snapshot": data.get("snapshot"),
        "sha256": data.get("content_hash"),
        "rows": data.get("record_count"),
        "target": target.get("column"),
        "training rows": split.get("train_rows"),
        "test rows": split.get("test_rows"),
        "split": split.get("method"),
        "salt of the split": split.get("salt"),
    }
    lines = _facts(facts)
    profile = section(data, "profile")
    columns = entries(data.get("schema"))
    if columns:
        rows = [
            [
                code(column.get("name")),
                code(column.get("type")),
                number(section(profile, str(column.get("name"))).get("missing")),
            ]
            for column in columns[:_MOST_ROWS]
        ]
        lines += ["", *table(["column", "type", "missing"], rows)]
    if len(columns) > _MOST_ROWS:
        lines += ["", f"… and {len(columns) - _MOST_ROWS:,} more columns."]
    return lines


def _training(making: Making) -> list[str]:
    told = {key: value for key, value in leaves(making.settings) if value is not None and key not in _NO_TRAINING}
    settings = sorted(told.items())[:_MOST_ROWS]
    if not settings:
        return ["How it was trained is not recorded."]
    lines = table(["setting", "value"], [[code(key), code(value)] for key, value in settings])
    unsure = entries(making.run.get("nondeterministic"))
    if unsure:
        lines += ["", "What may come out otherwise on other machines:", ""]
        lines += [f"- {code(one.get('operation'))}; it depends on {code(one.get('depends_on'))}" for one in unsure[:10]]
    return lines


def _environment(making: Making) -> list[str]:
    environment = making.axis("environment")
    packages = section(environment, "packages")
    facts = {"Python": environment.get("python"), "platform": environment.get("platform")}
    facts |= {name: packages[name] for name in _PACKAGES if name in packages}
    locked = environment.get("uv_lock_sha256")
    facts["uv.lock"] = None if locked == UNKNOWN else locked
    return _facts(facts) or ["It is not recorded."]


def _provenance(making: Making) -> list[str]:
    dirty = making.axis("code").get("dirty") is True
    facts = {
        **(_published(making) if isinstance(making, Origin) else {}),
        "commit": making.commit,
        "work tree": "with changes that no commit holds" if dirty else None,
        "repository": making.repository,
    }
    return _facts(facts) or ["It is not recorded."]


def _published(origin: Origin) -> dict[str, Any]:
    """Return what is not known before a version is published, or differs between two runs that come to the same."""
    command = origin.run.get("command")
    return {
        "version": str(origin.version),
        "digest": f"sha256:{origin.manifest.digest}",
        "published": origin.run.get("published_at"),
        "by": origin.run.get("published_by"),
        "command": " ".join(map(str, command)) if isinstance(command, list) else None,
    }


def _facts(facts: Mapping[str, Any]) -> list[str]:
    rows = [[name, number(value)] for name, value in facts.items() if value is not None]
    return table(["", ""], rows) if rows else []


def _loading(making: Making, formats: frozenset[str]) -> list[str]:
    version = str(making.version) if isinstance(making, Origin) else "VERSION"
    folder = f"{making.model.model}-{version}"
    lines = ["```sh", f"artreg pull {making.model}@{version} -o {folder}", f"cd {folder} && sha256sum -c checksum.txt"]
    return [*lines, "```", *_python(f"{making.model}@{version}", formats)]


def _python(name: str, formats: frozenset[str]) -> Iterator[str]:
    """Yield how Python loads the model, if artreg can."""
    if not formats & (_SAFE | _TRUSTED):
        return
    trusted = bool(formats & _TRUSTED)
    trust = ', trust="sha256:…"' if trusted else ""
    yield from ("", "```python", "import artreg", "")
    yield f'model = artreg.open("registry").load("{name}"{trust})  # name your registry'
    yield from ("model.predict(rows)", "```")
    if trusted:
        yield from ("", "Loading this format may run code that is in the file: name its digest only if you trust it.")
