"""The pages, each a function of what was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from artreg.core import canonical
from artreg.core.comparison import Axis
from artreg.core.comparison.facts import section
from artreg.core.manifest import DATA_MANIFEST, MANIFEST
from artreg.core.metric_directions import higher_is_better
from artreg.core.record import MOVES, Action
from artreg.core.version_event import EventKind
from artreg.errors import IntegrityError
from artreg.frozen import Frozen
from artreg.site import compare, paths
from artreg.site.cards import Card, read_card
from artreg.site.plots import Mark, curve
from artreg.site.profiles import columns
from artreg.site.reading import CARDS, CONFIG
from artreg.site.rendering import embedded, render
from artreg.site.values import Problem

if TYPE_CHECKING:
    from typing import Any

    from markupsafe import Markup

    from artreg.core.record import PromotionRecord
    from artreg.site.values import ModelPart, VersionPart

_METRICS = 6  # as columns of a table and as plots; a version's own page has all
_TONES = 6  # colours of aliases in the style sheet
_RECENT = 12  # moves on a model's page; the page of its history has all
_SAME_DATA = 30
_DONE = {
    Action.PROMOTE: "promoted",
    Action.ROLLBACK: "rolled back",
    Action.FENCE: "a move was stopped",
    Action.FREEZE: "frozen",
    Action.UNFREEZE: "thawed",
    Action.YANK: "what it holds was yanked",
    Action.CONFIRM: "confirmed",
}


class Metric(Frozen):
    """A metric of a model.

    Attributes:
        key: Its dotted key.
        higher: Whether it is better when higher; None where that is not known.
        plot: It over versions.
    """

    key: str
    higher: bool | None
    plot: Markup


def index(models: Sequence[ModelPart], title: str) -> bytes:
    """Return the page of all models."""
    return render("index.html", paths.INDEX, models=models, title=title, tone=_tone)


def model(part: ModelPart, title: str) -> bytes:
    """Return the page of a model."""
    return render(
        "model.html",
        paths.model_page(part.model),
        part=part,
        title=title,
        tone=_tone(part),
        metrics=_metrics(part),
        moves=part.moves[:_RECENT],
        more=len(part.moves) - _RECENT,
        moved=_moved,
    )


def history(part: ModelPart, title: str) -> bytes:
    """Return the page of everything that happened to a model's aliases."""
    path = paths.history_page(part.model)
    return render("history.html", path, part=part, title=title, tone=_tone(part), moves=part.moves, moved=_moved)


def version(part: ModelPart, one: VersionPart, title: str) -> bytes:
    """Return the page of a version."""
    before = part.before(one.version)
    manifest, problems = _data(one)
    return render(
        "version.html",
        paths.version_page(part.model, one.version),
        part=part,
        one=one,
        title=title,
        tone=_tone(part),
        before=before,
        changes=None if before is None else compare.changes(before, one),
        problems=(*one.problems, *problems),
        card=_card(one),
        config=_config(one),
        axes={axis.value: section(section(one.run, "axes"), axis.value) for axis in Axis},
        data=manifest,
        columns=columns(manifest),
        same_data=[other for other in part.same_data.get(one.data_digest, ()) if other != one.version][:_SAME_DATA],
        held=[record for record in part.moves if record.version == one.version and record.action in MOVES],
        approvals=[event for event in one.events if event.kind in {EventKind.APPROVE, EventKind.REVOKE}],
        proofs=[event for event in one.events if event.kind is EventKind.REPRODUCED],
        said=[event for event in one.events if event.kind is not EventKind.INTENT],
        higher_is_better=higher_is_better,
        manifest_name=MANIFEST,
        moved=_moved,
    )


def comparison(part: ModelPart, title: str) -> bytes:
    """Return the page on which a reader compares two versions of a model."""
    path = paths.compare_page(part.model)
    return render("compare.html", path, part=part, title=title, data=embedded(compare.data(part)))


def _tone(part: ModelPart) -> dict[str, int]:
    """Return the number of the colour of each alias."""
    return {alias.name: number % _TONES for number, alias in enumerate(part.aliases)}


def _metrics(part: ModelPart) -> list[Metric]:
    """Return the metrics that say most: those of which it is known which way is better, then those that vary."""
    ordered = part.versions[::-1]
    values: dict[str, set[float]] = {}
    for one in part.versions:
        for key, value in one.figures.items():
            values.setdefault(key, set()).add(value)
    keys = [key for key, found in values.items() if len(found) > 1 or higher_is_better(key) is not None]
    wanted = sorted(keys, key=lambda key: (higher_is_better(key) is None, key.count("."), key))
    places = {one.version: place for place, one in enumerate(ordered)}
    marks = [
        Mark(alias.name, places[alias.version], number % _TONES)
        for number, alias in enumerate(part.aliases)
        if alias.version in places
    ]
    labels = [str(one.version) for one in ordered]
    return [
        Metric(key, higher_is_better(key), curve(key, labels, [one.figures.get(key) for one in ordered], marks))
        for key in wanted[:_METRICS]
    ]


def _moved(record: PromotionRecord) -> str:
    """Return in words what a record did."""
    return _DONE[record.action]


def _card(one: VersionPart) -> Card | None:
    name = next((name for name in CARDS if name in one.documents), None)
    return None if name is None else read_card(one.documents[name])


def _config(one: VersionPart) -> str:
    return one.documents.get(CONFIG, b"").decode("utf-8", "replace")


def _data(one: VersionPart) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    if DATA_MANIFEST not in one.documents:
        return {}, ()
    try:
        return canonical.loads(one.documents[DATA_MANIFEST], DATA_MANIFEST), ()
    except IntegrityError as error:
        return {}, (Problem(DATA_MANIFEST, error.message),)
