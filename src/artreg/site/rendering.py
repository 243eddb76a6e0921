"""Makes HTML of templates: everything that is put into one is escaped, and nothing in it goes unseen."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from artreg.core import wording
from artreg.site import paths, words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

CSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a page may load and run: the site's own style sheet and script, and nothing else."""


def render(template: str, path: str, **values: Any) -> bytes:
    """Return a page.

    Args:
        template: Its template.
        path: Where it lies in the site.
        values: What the template shows.
    """
    page = _environment().get_template(template)
    text = page.render(path=path, up=paths.up(path), csp=CSP, script=paths.SCRIPT, style=paths.STYLE, **values)
    return text.encode("utf-8", "backslashreplace")


def asset(path: str) -> bytes:
    """Return a file that pages load."""
    return (files("artreg.site") / path).read_bytes()


def embedded(document: Any) -> Markup:
    """Return a document as JSON that can stand inside a script element: nothing in it can end that."""
    from markupsafe import Markup  # noqa: PLC0415

    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  # without <, > and & it can only be data


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415  # only whoever makes pages needs it

    environment = Environment(
        loader=PackageLoader("artreg.site"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_seen,
    )
    environment.filters |= {
        name: getattr(words, name)
        for name in ("change", "figure", "minute", "day", "short", "pairs", "text_of", "named")
    }
    environment.filters |= {"plural": wording.plural, "size": wording.human_bytes}
    environment.globals |= {
        "model_page": paths.model_page,
        "history_page": paths.history_page,
        "version_page": paths.version_page,
        "compare_page": paths.compare_page,
        "index_page": paths.INDEX,
    }
    return environment


def _seen(value: Any) -> Any:
    """Return what is put into a page such that every sign of it is seen."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return words.visible(value)
    return value
