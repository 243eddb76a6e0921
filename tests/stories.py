"""Registries with something to look at: `stories`, with all that can happen to a model, and `thousand` versions."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from artreg.core.names import Alias, ModelName
from artreg.core.policy import parse_policy
from artreg.core.version import Version
from artreg.frozen import replace
from artreg.registry.approvals import approve
from artreg.registry.freeze import freeze
from artreg.registry.handle import Registry
from artreg.registry.promote import promote
from artreg.registry.proofs import record_proof
from artreg.registry.publish import publish
from artreg.registry.rollback import rollback
from artreg.registry.signatures import sign_version
from artreg.registry.stored_policy import push_policy
from artreg.registry.verify import verify
from artreg.registry.yank import yank
from artreg.store.local import LocalStore
from keys import make_key

CHURN = ModelName("demo", "churn")
FRAUD = ModelName("demo", "fraud")
HARM = ModelName("risk", "a-name-of-64-signs-which-is-the-longest.that_a_model_may_bear-12")
WIDE = ModelName("demo", "wide")
STAGING, PROD, CANARY = Alias("staging"), Alias("prod"), Alias("canary")

ADA, BOB, CAROL = "ada@example.org", "bob@example.org", "carol@example.org"

POLICY = parse_policy(
    {
        "aliases": {
            "staging": {"gates": [{"gate": "metric", "key": "roc_auc", "min": 0.75}], "force": [CAROL]},
            "prod": {
                "gates": [
                    {"gate": "from", "alias": "staging"},
                    {"gate": "metric", "key": "roc_auc", "min": 0.8},
                    {"gate": "metric", "key": "log_loss", "max": 0.6},
                ],
                "force": [CAROL],
            },
            "canary": {},
        }
    }
)

HARMS = (
    "<script>window.harmed = 'script'</script>",
    "<img src=x onerror=\"window.harmed = 'onerror'\">",
    "</script></title></style></textarea><script>window.harmed = 'closed'</script>",
    '" autofocus onfocus="window.harmed = \'attribute\'" x="',
    "' onmouseover='window.harmed = 1' x='",
    "javascript:window.harmed='link'",
    "<svg onload=\"window.harmed='svg'\"><style>*{display:none}</style></svg>",
    "{{ 7 * 191 }}{% raw %}${7*191}",
    "\u202egnp.exe \u2066\u202d\x1b[31m\x00\x07\u200b",
    "&lt;b&gt; &amp; \" ' ` </td></tr></table>",
    "x" * 400,
)
"""What somebody who means harm would have a browser run, or a page fall apart over."""

CARD = """# Churn

Predicts which customers leave within the next month, from what they use and pay.

## Use

- **Meant for** the weekly list of customers whom somebody calls.
- Not meant for prices, or for customers younger than a month.

| segment | ROC AUC |
| --- | ---: |
| month-to-month | 0.84 |
| one year | 0.81 |

## Limits

It has seen no customer outside the [two countries](https://example.org/countries) in which it was trained:

```python
import artreg

model = artreg.open("s3://models/registry").load("churn@prod")
```
"""


def stories(root: Path, work: Path) -> Path:
    """Make a registry of four models in two projects; return its root.

    `demo/churn` is looked after: pre-releases, a yanked version, promotions through gates, one forced, a rollback, a
    freeze, approvals, signatures, a proof. `demo/fraud` is new, and two of its versions are damaged. `risk/…` was
    written by somebody who means harm. `demo/wide` has more metrics and files than fit on a screen.
    """
    work.mkdir(parents=True, exist_ok=True)
    told = _Teller(root, work)
    push_policy(told.registry, POLICY, reason="what a model must show")
    _churn(told)
    _fraud(told)
    _harm(told)
    _wide(told)
    verify(told.registry, record=True)
    return root


def thousand(root: Path, work: Path, versions: int = 1000) -> Path:
    """Make a registry with a model of so many versions, some of which were in staging and prod; return its root."""
    work.mkdir(parents=True, exist_ok=True)
    told = _Teller(root, work)
    free = parse_policy({"aliases": {"staging": {}, "prod": {}}})
    with mock.patch("os.fsync"):  # three quarters of the time, and nobody cuts the power
        for number in range(versions):
            version = f"{number // 100}.{number // 10 % 10}.{number % 10}"
            told.publish(CHURN, version, _metrics(0.7 + 0.2 * number / versions, number), **_trained(number))
            if number % 10 == 9:
                promote(told.registry, CHURN, Version.parse(version), STAGING, free, reason="nightly")
            if number % 50 == 49:
                promote(told.registry, CHURN, Version.parse(version), PROD, free, reason="weekly")
    return root


class _Teller:
    def __init__(self, root: Path, work: Path) -> None:
        store = LocalStore(root)
        store.make_root()
        self.work = work
        self.registry = Registry(store, ADA, _clock(), _ids())
        self._folders = itertools.count()

    def by(self, actor: str) -> Registry:
        return replace(self.registry, actor=actor)

    def publish(
        self,
        model: ModelName,
        version: str,
        metrics: Mapping[str, Any],
        *,
        run: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
        actor: str = ADA,
    ) -> None:
        folder = self.work / f"{next(self._folders)}"
        for name, content in {
            "model.bin": f"{model} {version}".encode() * 300,
            "metrics.json": json.dumps(metrics, indent=1).encode(),
            **(files or {}),
        }.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        publish(self.by(actor), model, folder, Version.parse(version), run=run)

    def promote(self, model: ModelName, version: str, alias: Alias, why: str = "", *, actor: str = ADA, **how) -> None:
        promote(self.by(actor), model, Version.parse(version), alias, POLICY, reason=why, **how)


def _churn(told: _Teller) -> None:
    key = make_key(told.work, "ada")
    for place, (version, auc) in enumerate(
        {"1.0.0": 0.812, "1.1.0": 0.834, "1.1.1": 0.829, "1.2.0-rc.1": 0.841, "1.2.0-rc.2": 0.846}.items()
    ):
        told.publish(CHURN, version, _metrics(auc, place), **_trained(place))
    told.promote(CHURN, "1.0.0", STAGING, "the first that learned something")
    told.promote(CHURN, "1.0.0", PROD, "first release", actor=BOB)
    told.promote(CHURN, "1.1.0", STAGING, "more trees")
    approve(told.by(BOB), CHURN, Version.parse("1.1.0"), PROD, "scores look right on last month")
    approve(told.by(CAROL), CHURN, Version.parse("1.1.0"), PROD)
    told.promote(CHURN, "1.1.0", PROD, "0.02 better on the same customers", actor=BOB)
    told.promote(CHURN, "1.1.1", STAGING)
    told.promote(CHURN, "1.1.1", PROD, "quicker", actor=BOB)
    rollback(told.by(CAROL), CHURN, PROD, POLICY, reason="support sees odd scores for new customers")
    told.promote(CHURN, "1.1.0", STAGING, "back to what is known")
    yank(told.by(CAROL), CHURN, Version.parse("1.1.1"), "learned from a table with a leaked column")
    told.promote(CHURN, "1.2.0-rc.2", CANARY, "five per cent of the traffic")
    told.publish(CHURN, "1.2.0", _metrics(0.858, 5), **_trained(5, card=CARD))
    told.promote(CHURN, "1.2.0", STAGING, "two weeks of canary without a complaint")
    sign_version(told.registry, CHURN, Version.parse("1.2.0"), key)
    told.publish(CHURN, "1.10.0-rc.1", _metrics(0.74, 6), **_trained(6))
    told.promote(CHURN, "1.10.0-rc.1", STAGING, "needed for the demonstration", actor=CAROL, force=True)
    told.publish(CHURN, "1.10.0", _metrics(0.871, 7), **_trained(7, card=CARD))
    told.promote(CHURN, "1.10.0", STAGING, "learns from twelve months instead of six")
    told.promote(CHURN, "1.10.0", PROD, "quarterly release", actor=BOB)
    sign_version(told.registry, CHURN, Version.parse("1.10.0"), key)
    record_proof(told.by(BOB), CHURN, Version.parse("1.10.0"), {"same": ["model.bin", "metrics.json"]})
    freeze(told.by(CAROL), CHURN, PROD, told.registry.now() + timedelta(days=30), "no releases over the holidays")


def _fraud(told: _Teller) -> None:
    told.publish(FRAUD, "0.1.0", {"roc_auc": 0.91, "log_loss": 0.31})
    told.publish(FRAUD, "0.2.0", {"roc_auc": 0.92, "log_loss": 0.29})
    told.publish(FRAUD, "0.3.0", {"roc_auc": 0.93, "log_loss": 0.28})
    told.promote(FRAUD, "0.1.0", STAGING)
    places = Path(told.registry.store.url) / str(FRAUD)
    _overwrite(places / "0.2.0/model.bin", b"not what was published")
    _overwrite(places / "0.3.0/checksum.txt", b"nothing that could be read\n")


def _harm(told: _Teller) -> None:
    metrics = {"roc_auc": 0.9, "log_loss": 0.3, "": 1, **{harm: place for place, harm in enumerate(HARMS)}}
    harmed = {f"{place}{harm}": harm for place, harm in enumerate(HARMS)}
    run = {
        "axes": {
            "code": {"commit": HARMS[0], "branch": HARMS[1], "remote": HARMS[5], "dirty": True},
            "config": {"document": harmed | {"nested": [harmed, [[HARMS[2]]]]}, "sha256": HARMS[3]},
            "data": {"uri": HARMS[5], "record_count": HARMS[0], "content_hash": HARMS[1], "snapshot": HARMS[2]},
            "environment": {"python": HARMS[6], "packages": harmed, "platform": HARMS[10]},
        },
        "command": list(HARMS),
        "seeds": {"seed": HARMS[0]},
        "machine": {"hostname": HARMS[1]},
        "started": HARMS[2],
        "duration_seconds": HARMS[0],
    }
    card = "\n\n".join(("# <script>window.harmed='card'</script>", *HARMS, f"[go]({HARMS[5]})", f"![x]({HARMS[5]})"))
    profile = {harm: {**_numbers(90, 1.0), "type": harm} for harm in HARMS} | {
        "values": {
            "type": "text",
            "count": 9,
            "missing": 0,
            "distinct": 9,
            "other": 0,
            "values": dict.fromkeys(HARMS, 3),
        }
    }
    files = {
        "README.md": card.encode(),
        "data_manifest.json": json.dumps({"profile": profile, "name": HARMS[0], "uri": HARMS[5]}).encode(),
        "notes/<b>bold<img src=x>.txt": b"a name that a disk allows",
        'notes/it\'s "quoted" & more.txt': b"another",
    }
    told.publish(HARM, "1.0.0", metrics, run=run, files=files, actor=HARMS[0])
    told.publish(
        HARM, "1.0.1", {**metrics, "roc_auc": 0.95}, run=run, files={**files, "more.txt": b"1"}, actor=HARMS[1]
    )
    for version, place in itertools.product(("1.0.0", "1.0.1"), (0, 3)):
        told.promote(HARM, version, CANARY, HARMS[place], actor=HARMS[place])
    told.promote(HARM, "1.0.0", CANARY, " ".join(HARMS), actor=HARMS[10])
    approve(told.by(HARMS[1]), HARM, Version.parse("1.0.0"), PROD, HARMS[0])
    yank(told.by(HARMS[0]), HARM, Version.parse("1.0.1"), HARMS[2])


def _wide(told: _Teller) -> None:
    metrics = {f"a_metric_with_quite_a_long_name_{number}": number / 7 for number in range(30)}
    files = {f"parts/part-{number:03d}.bin": bytes(number) for number in range(80)}
    odd = {"large": 1e308, "small": 5e-324, "text": "no number", "list": [1, 2], "none": None}
    version = "99999999.99999999.99999999-rc.1.a-long-pre-release.20260301"
    told.publish(WIDE, version, {**metrics, **odd}, files=files)


def _metrics(auc: float, seed: int) -> dict[str, Any]:
    noise = random.Random(seed)
    loss = 1.02 - 0.72 * auc + noise.uniform(-0.01, 0.01)
    accuracy = auc - 0.045 + noise.uniform(-0.01, 0.01)
    return {"roc_auc": auc, "log_loss": loss, "accuracy": accuracy, "test": {"rows": 1602, "positive_rate": 0.2915}}


def _trained(seed: int, card: str = "") -> dict[str, Any]:
    """Return the run and the files of a version that `artreg train` could have made."""
    rows = 8000 + 250 * seed
    digest = random.Random(seed).randbytes(32).hex()
    run = {
        "axes": {
            "code": {"commit": digest[:40], "branch": "main", "dirty": seed == 4, "remote": "git@example.org:ml/churn"},
            "config": {
                "document": {
                    "trainer": "hist_gradient_boosting",
                    "seed": 42,
                    "data": {"path": "data/churn.csv", "target": "churned", "test_fraction": 0.2},
                    "model": {"max_iter": 40 + 20 * seed, "learning_rate": 0.08, "max_depth": 4},
                },
                "sha256": digest,
            },
            "data": {
                "uri": "data/churn.csv",
                "record_count": rows,
                "content_hash": digest[::-1],
                "snapshot": f"churn@sha256:{digest[::-1]}",
            },
            "environment": {
                "python": "3.11.7" if seed < 6 else "3.12.4",
                "platform": "Linux-6.12-x86_64-with-glibc2.36",
                "machine": "x86_64",
                "packages": {"numpy": "2.4.6", "scikit-learn": "1.9.1" if seed > 3 else "1.8.0", "skops": "0.16.0"},
                "uv_lock_sha256": digest,
            },
        },
        "command": ["artreg", "train", "--set", f"model.max_iter={40 + 20 * seed}"],
        "seeds": {"seed": 42, "frameworks": {"numpy": "seeded"}},
        "machine": {"cpu_count": 8, "hostname": "builder"},
        "started": "2026-03-01T11:58:00.000Z",
        "duration_seconds": 5.4 + seed,
    }
    churned = {"false": rows - rows // 3, "true": rows // 3}
    profile = {
        "customer_id": {"type": "text", "count": rows, "missing": 0},
        "churned": {"type": "boolean", "count": rows, "missing": 0, "values": churned, "other": 0, "distinct": 2},
        "age": _numbers(rows, 51 - seed, 11.1),
        "monthly_charge": _numbers(rows, 64.5 + 2 * seed, 21.8),
        "tenure_months": _numbers(rows, 54.0, 17.3),
        "contract": {
            "type": "text",
            "count": rows - 12,
            "missing": 12,
            "distinct": 4,
            "other": rows - 12 - rows // 2 - rows // 4 - rows // 5,
            "values": {"month-to-month": rows // 2, "one-year": rows // 4, "two-year": rows // 5},
        },
    }
    manifest = {
        "format": "artreg/data/1",
        "name": "churn",
        "uri": "data/churn.csv",
        "record_count": rows,
        "content_hash": digest[::-1],
        "id_column": "customer_id",
        "target": {"column": "churned"},
        "profile": profile,
    }
    files = {"data_manifest.json": json.dumps(manifest).encode(), "config.yaml": b"trainer: hist_gradient_boosting\n"}
    return {"run": run, "files": files | ({"README.md": card.encode()} if card else {})}


def _numbers(rows: int, mean: float, deviation: float = 1.0) -> dict[str, Any]:
    """Return the profile of a column of numbers in the shape of a bell."""
    edges = [mean + deviation * (place - 5) * 0.6 for place in range(11)]
    shares = [math.exp(-(((place - 4.5) * 0.6) ** 2) / 2) for place in range(9)]
    counts = [1 + int((rows - 10) * share / (sum(shares) + shares[0])) for share in shares]
    counts.append(rows - sum(counts))
    upto = list(itertools.accumulate(counts))
    quantiles = {"0.05": mean - 1.6 * deviation, "0.5": mean, "0.95": mean + 1.6 * deviation}
    return {
        "type": "number",
        "count": rows,
        "missing": 0,
        "min": edges[0],
        "max": edges[-1],
        "mean": mean,
        "std": deviation,
        "quantiles": quantiles,
        "histogram": {"edges": edges, "counts": counts},
        "cdf": {"knots": edges[1:], "below": [0, *upto[:-1]], "upto": upto},
    }


def _overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def _clock() -> Callable[[], datetime]:
    start, ticks = datetime(2026, 3, 2, 9, 15, tzinfo=UTC), itertools.count()
    return lambda: start + timedelta(hours=5, minutes=17, seconds=9) * next(ticks)


def _ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):032x}"
