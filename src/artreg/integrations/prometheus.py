"""What a registry says of itself to Prometheus: pure rules from its vital signs to families of figures, and their text.

Times are told as they are, as is the custom: how long ago they were is for whoever asks (`time() - x`). All of one
alias or model is told under the labels that name it, so that the number of series is that of aliases and models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from artreg import __version__
from artreg.frozen import Frozen
from artreg.registry.vitals import Held, Vitals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

HELP = {
    "artreg_up": "Whether the registry could be read.",
    "artreg_scrape_duration_seconds": "How long it took to read the registry.",
    "artreg_build_info": "The version of artreg that read it.",
    "artreg_models": "How many models are told of.",
    "artreg_model_ok": "Whether nothing that was read of the model itself is damaged.",
    "artreg_model_versions": "Version numbers that are taken; one that is not finished, or was spent, counts too.",
    "artreg_model_unfinished_versions": "Numbers above the newest version that were begun and not finished.",
    "artreg_model_newest_version_info": "The highest version that is not yanked.",
    "artreg_model_verified_versions": "Versions by the result of the last verification of each that was recorded.",
    "artreg_model_verified_timestamp_seconds": "When a version of the model was last verified and that recorded; 0 if "
    "never.",
    "artreg_alias_ok": "Whether it is known where the alias points, and nothing that was read of that is damaged.",
    "artreg_alias_info": "What the alias holds, and what pointed it there.",
    "artreg_alias_generation": "The number of the newest record of the alias: it grows by 1 with each move, freeze or "
    "yank.",
    "artreg_alias_moved_timestamp_seconds": "When the alias was pointed at what it holds.",
    "artreg_alias_published_timestamp_seconds": "When the version that the alias holds was published.",
    "artreg_alias_verified_timestamp_seconds": "When what the alias holds was last verified and that recorded; 0 if "
    "never.",
    "artreg_alias_verification_failed": "Whether the last verification of what the alias holds that was recorded "
    "failed.",
    "artreg_alias_failed_gates": "Gates that said no to the move that holds: it was forced.",
    "artreg_alias_frozen_until_timestamp_seconds": "When the freeze of the alias ends; 0 if it is not frozen.",
    "artreg_alias_yanked": "Whether the version that the alias holds is yanked.",
    "artreg_alias_pointer_ok": "Whether the pointer, which other tools go by, agrees with the history.",
    "artreg_alias_trusted": "Whether the alias meets what is demanded of it here (signature, age, memory); 1 where "
    "nothing is.",
}
"""Every family, in the order in which they are told, and what it is. All are gauges."""

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels, float]
"""The name of a family, labels, and a value."""


class Sample(Frozen):
    """A value under labels."""

    labels: Labels
    value: float

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {"labels": dict(self.labels), "value": self.value}


class Family(Frozen):
    """Figures under one name.

    Attributes:
        name: The name.
        help: What it is.
        samples: The figures, in order of their labels.
    """

    name: str
    help: str
    samples: tuple[Sample, ...]

    def document(self) -> dict[str, object]:
        """Return it as a JSON object."""
        samples = [sample.document() for sample in self.samples]
        return {"name": self.name, "type": "gauge", "help": self.help, "samples": samples}


def families(url: str, models: Iterable[Vitals] | None, seconds: float) -> list[Family]:
    """Return all figures of a registry.

    Args:
        url: Its root: a label of each figure, for several may be told in one place.
        models: What is to be told of its models; None if it could not be read.
        seconds: How long it took to read them.
    """
    here: Labels = (("registry", url),)
    found: dict[str, list[Sample]] = {name: [] for name in HELP}
    for name, labels, value in _of_registry(models, seconds):
        found[name].append(Sample((*here, *labels), value))
    return [
        Family(name, HELP[name], tuple(sorted(samples, key=lambda sample: sample.labels)))
        for name, samples in found.items()
        if samples
    ]


def exposition(told: Iterable[Family]) -> list[str]:
    """Return families as lines of Prometheus' text format; a parser of OpenMetrics takes them too."""
    lines: list[str] = []
    for family in told:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} gauge"]
        for sample in family.samples:
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
            lines.append(f"{family.name}{{{labels}}} {sample.value!r}")
    return [*lines, "# EOF"]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _of_registry(models: Iterable[Vitals] | None, seconds: float) -> Iterator[Series]:
    yield "artreg_up", (), int(models is not None)
    yield "artreg_scrape_duration_seconds", (), round(seconds, 6)
    yield "artreg_build_info", (("version", __version__),), 1
    if models is None:
        return
    told = list(models)
    yield "artreg_models", (), len(told)
    for model in told:
        labels = (("project", model.model.project), ("model", model.model.model))
        for name, more, value in _of_model(model):
            yield name, (*labels, *more), value


def _of_model(model: Vitals) -> Iterator[Series]:
    yield "artreg_model_ok", (), int(not model.damage)
    results = [seen.ok for seen in model.verified.values()]
    yield "artreg_model_verified_versions", (("result", "ok"),), results.count(True)
    yield "artreg_model_verified_versions", (("result", "failed"),), results.count(False)
    last = max((seen.moment.timestamp() for seen in model.verified.values()), default=0)
    yield "artreg_model_verified_timestamp_seconds", (), last
    standing = model.standing
    if standing is None:
        return
    previews = sum(bool(version.prerelease) for version in standing.numbers)
    yield "artreg_model_versions", (("kind", "release"),), len(standing.numbers) - previews
    yield "artreg_model_versions", (("kind", "prerelease"),), previews
    yield "artreg_model_unfinished_versions", (), len(standing.unfinished)
    if standing.newest is not None:
        yield "artreg_model_newest_version_info", (("version", str(standing.newest)),), 1
    for held in model.aliases:
        for name, more, value in _of_alias(held):
            yield name, (("alias", str(held.standing.alias)), *more), value


def _of_alias(held: Held) -> Iterator[Series]:
    standing, newest = held.standing, held.standing.newest
    move = standing.move if held.moved is not None else None
    yield "artreg_alias_ok", (), int(not held.damage)
    if newest is None:
        return
    yield "artreg_alias_generation", (), newest.generation
    if newest.version is None or newest.digest is None:
        return
    action = "unknown" if move is None else move.action.value
    yield "artreg_alias_info", (("version", str(newest.version)), ("digest", newest.digest), ("action", action)), 1
    yield from _times(held)
    if move is not None:
        yield "artreg_alias_failed_gates", (), sum(not verdict.passed for verdict in move.gates)
    yield "artreg_alias_verification_failed", (), int(held.verified is not None and not held.verified.ok)
    yield "artreg_alias_yanked", (), int(standing.yank is not None)
    yield "artreg_alias_pointer_ok", (), int(not standing.pointer)
    yield "artreg_alias_trusted", (), int(not standing.doubt)


def _times(held: Held) -> Iterator[Series]:
    known: Mapping[str, datetime | None] = {"moved": held.moved, "published": held.published}
    for name, moment in known.items():
        if moment is not None:
            yield f"artreg_alias_{name}_timestamp_seconds", (), moment.timestamp()
    verified = held.verified.moment if held.verified is not None else None
    for name, moment in {"verified": verified, "frozen_until": held.frozen_until}.items():
        yield f"artreg_alias_{name}_timestamp_seconds", (), 0 if moment is None else moment.timestamp()
