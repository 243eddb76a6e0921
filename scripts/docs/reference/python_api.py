"""The Python API, of the docstrings of what `import artreg` offers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import FunctionType

import artreg
from artreg.core.record import PromotionRecord
from artreg.errors import EXIT_CODES, ArtregError
from artreg.loading.load import Loaded
from artreg.registry.check import Checked, Problem
from artreg.registry.pull import Pulled
from artreg.registry.resolve import Resolved
from artreg.registry.verify import Report
from reference import docstrings
from reference.markdown import fence, plain, table
from reference.markdown import page as whole

RESULTS = (Resolved, Pulled, Loaded, Report, Checked, Problem, PromotionRecord)
"""What the methods return."""


def page() -> str:
    """Return the page."""
    offered = [getattr(artreg, name) for name in sorted(artreg.__all__)]
    errors = [kind for kind in offered if isinstance(kind, type) and issubclass(kind, ArtregError)]
    return whole(
        "Python API",
        "`import artreg` is light: scikit-learn, pandas and the S3 client are imported by what needs them, when it "
        "needs them. What stands on this page is what artreg promises; everything else in the package may change.\n",
        *_function("artreg.open", artreg.open),
        "## artreg.Registry\n",
        plain(docstrings.parse(artreg.Registry.__doc__).text) + "\n",
        *(part for name, method in _methods(artreg.Registry) for part in _member(name, method)),
        "## Trust\n",
        "What `load(…, trust=…)` takes for formats that may run code; [Load a model safely](../loading.md#trust) says "
        "who could do what.\n",
        *(part for kind in (artreg.Digest, artreg.Signer) for part in _value(f"artreg.{kind.__name__}", kind)),
        "### artreg.THIS\\_REGISTRY\n",
        "Trusts whoever may publish to the registry, and whoever may write to where it lies.\n",
        "## What comes back\n",
        *(part for kind in RESULTS for part in _value(kind.__name__, kind)),
        "## Errors\n",
        "Each has `message`, `hint`, `code` and `details`; all are `artreg.ArtregError`s.\n",
        table(("error", "means", "`code`", "exit code"), (_error(kind) for kind in errors)),
    )


def _methods(kind: type) -> Iterator[tuple[str, object]]:
    return ((name, it) for name, it in vars(kind).items() if not name.startswith("_") and inspect.getdoc(it))


def _member(name: str, member: object) -> Iterator[str]:
    if isinstance(member, FunctionType):
        yield from _function(f"Registry.{name}", member, level=3)
    elif isinstance(member, property):
        yield f"### Registry.{name}\n"
        yield plain(docstrings.parse(member.__doc__).text) + "\n"


def _function(name: str, function: Callable[..., object], *, level: int = 2) -> Iterator[str]:
    found = docstrings.parse(function.__doc__)
    yield f"{'#' * level} {name}\n"
    yield fence("python", _signature(name, function))
    yield plain(found.text) + "\n"
    if "Args" in found.entries:
        yield table(("argument", "meaning"), ((f"`{key}`", plain(text)) for key, text in found.entries["Args"].items()))
    if "Returns" in found.notes:
        yield f"Returns: {plain(found.notes['Returns'])}\n"
    if "Raises" in found.entries:
        yield table(("raises", "when"), ((f"`{key}`", plain(text)) for key, text in found.entries["Raises"].items()))


def _signature(name: str, function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    parameters = [it for it in signature.parameters.values() if it.name != "self"]
    lines, starred = [], False
    for it in parameters:
        if it.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            lines.append("    *,")
            starred = True
        default = "" if it.default is inspect.Parameter.empty else f" = {it.default!r}"
        lines.append(f"    {it.name}: {it.annotation}{default},")
    body = "\n".join(lines)
    return f"{name}(\n{body}\n) -> {signature.return_annotation}"


def _value(name: str, kind: type) -> Iterator[str]:
    yield f"### {name}\n"
    yield plain(docstrings.parse(kind.__doc__).text) + "\n"
    rows = [(f"`{key}`", plain(text)) for key, text in docstrings.attributes(kind).items()]
    rows += [
        (f"`{key}`", plain(docstrings.parse(it.__doc__).text))
        for key, it in vars(kind).items()
        if isinstance(it, property) and not key.startswith("_")
    ]
    if rows:
        yield table(("attribute", "meaning"), rows)


def _error(kind: type[ArtregError]) -> tuple[str, str, str, str]:
    return (
        f"`{kind.__name__}`",
        plain(docstrings.parse(kind.__doc__).text),
        f"`{kind.code}`",
        str(EXIT_CODES[kind.code]),
    )
