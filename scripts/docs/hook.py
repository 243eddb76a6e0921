"""What mkdocs is told besides the pages in docs/: the reference, made of the code, and pages that lie elsewhere."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference import PAGES
from reference.commands import navigation

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "ARCHITECTURE.md": "explanation/architecture.md",
    "CHANGELOG.md": "reference/changelog.md",
    "examples/own_trainer/README.md": "reference/own-trainer.md",
}
"""Pages that lie outside of docs/, and where the site has them."""

_LINK = re.compile(r"\]\((?P<path>[^()#:\s]+)(?P<anchor>#[^)]*)?\)")

_FOREIGN = re.compile(r"""<(?:script|link|img|iframe|source|video)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^>]*>""")


def on_config(config: Any) -> Any:
    """Give each command its place in the navigation."""
    (reference,) = (part["Reference"] for part in config["nav"] if "Reference" in part)
    reference[:] = [{"Commands": navigation()} if "Commands" in part else part for part in reference]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what does not lie in docs/."""
    from mkdocs.structure.files import File  # a test that reads this module has no mkdocs

    for name, page in PAGES.items():
        files.append(File.generated(config, name, content=page()))
    for path, name in ELSEWHERE.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text()))
    return files


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """See that a page asks no other server for anything, and name what the theme leaves without a name.

    Raises:
        ValueError: It does.
    """
    foreign = _FOREIGN.findall(output)
    if foreign:
        raise ValueError(f"{page.file.src_uri} loads from elsewhere: {foreign}")
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"')


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links that are right in the repository lead to the same pages of the site."""
    return relinked(markdown, page.file.src_uri)


def relinked(markdown: str, name: str) -> str:
    """Return a page with its links as the site needs them.

    Args:
        markdown: The page.
        name: Its name in the site.
    """
    folder = posixpath.dirname(name)
    home = {there: here for here, there in ELSEWHERE.items()}.get(name, f"docs/{name}")

    def relink(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(home), link["path"]))
        target = ELSEWHERE.get(path, path.removeprefix("docs/"))
        return f"]({posixpath.relpath(target, folder or '.')}{link['anchor'] or ''})"

    return _LINK.sub(relink, markdown)
