"""Gates about where a version comes from: `provenance`, `reproduced`, `model_card`, `no_pickle`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from artreg.core.gates.evidence import Evidence, Needs
from artreg.core.gates.interface import NONE, Gate
from artreg.core.manifest import is_model_file
from artreg.core.model_card import split_card
from artreg.core.names import Alias
from artreg.core.record import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNKNOWN = {"", "unknown"}
SAFE_FORMATS = {".safetensors", ".skops", ".onnx", ".json", ".txt", ".csv", ".ubj", ".gguf", ".parquet"}
"""File formats that are read without running code."""
_HEADING = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<title>\S.*)")
_PARAGRAPH = re.compile(r" {0,3}(?![-*+>#|]|[0-9]+[.)])\S")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCES = ("```", "~~~")
_BLANK = re.compile(r"\[(?:more information needed|to be written|fill in)\]|<!-- *write", re.IGNORECASE)


class ProvenanceGate(Gate):
    """Code, environment, config, data and seeds of the run must be recorded.

    Attributes:
        clean: Whether the work tree must have been clean too.
    """

    clean: bool = True

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a run record whose four axes and seeds are all known."""
        run = evidence.candidate.run
        seeds = run.get("seeds")
        code, environment, config, data = (_axis(run, axis) for axis in ("code", "environment", "config", "data"))
        checks = {
            "git commit": _known(code.get("commit")),
            "clean work tree": code.get("dirty") is False or not self.clean,
            "uv.lock": _known(environment.get("uv_lock_sha256")),
            "config": _known(config.get("sha256")),
            "data": _known(data.get("content_hash")),
            "seeds": isinstance(seeds, Mapping) and bool(seeds),
        }
        lacking = [what for what, known in checks.items() if not known]
        if lacking:
            return self.verdict(False, f"not known of the run: {', '.join(lacking)}", **checks)
        return self.verdict(True, f"commit {str(code.get('commit'))[:12]}, lock, config, data and seeds", **checks)


class ReproducedGate(Gate):
    """Somebody must have trained the version again and got the same digests."""

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a version with a proof."""
        if not evidence.proofs:
            return self.verdict(False, "nobody has proven that it can be trained again", proofs=0)
        newest = evidence.proofs[-1]
        message = f"trained again by {newest.get('who')} on {str(newest.get('time'))[:10]}, with the same digests"
        return self.verdict(True, message, proofs=len(evidence.proofs), who=newest.get("who"), time=newest.get("time"))


class ModelCardGate(Gate):
    """README.md, the model card, must be there and filled in.

    Attributes:
        sections: Headings that must be there, with text below them or below their own subheadings.
    """

    sections: list[str] = NONE

    def needs(self, alias: Alias) -> Needs:
        """Ask for the card."""
        return Needs(files=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a card without blanks that has every section."""
        card = evidence.candidate.card
        if card is None or not card.strip():
            what = "it has no README.md" if card is None else "its README.md is empty"
            return self.verdict(False, f"{what}: artreg card drafts one", missing=self.sections, blanks=0)
        body = split_card(card)[1]
        found, blanks = _sections(body), len(_BLANK.findall(card))
        absent = [title for title in self.sections if _title(title) not in found]
        bare = [title for title in self.sections if found.get(_title(title)) is False]
        parts = {
            f"it lacks {', '.join(absent)}": absent,
            f"nothing stands below {', '.join(bare)}": bare,
            f"{blanks} {'place is' if blanks == 1 else 'places are'} not filled in": blanks,
        }
        wrong = " and ".join(part for part, holds in parts.items() if holds)
        if wrong:
            return self.verdict(False, f"README.md is there, but {wrong}", missing=absent + bare, blanks=blanks)
        return self.verdict(True, f"README.md has {len(body.split())} words", missing=[], blanks=0)


class NoPickleGate(Gate):
    """The model's files must be of formats that load without running code."""

    def needs(self, alias: Alias) -> Needs:
        """Ask for the files."""
        return Needs(files=True)

    def judge(self, evidence: Evidence, measured: object) -> Verdict:
        """Pass a model whose every file has a suffix that is known to be safe."""
        files = [name for name in evidence.candidate.sizes if is_model_file(name)]
        unsafe = sorted(name for name in files if _suffix(name) not in SAFE_FORMATS)
        if not files:
            return self.verdict(False, "run.json names no file of the model", unsafe=[])
        if unsafe:
            return self.verdict(False, f"loading may run code: {', '.join(unsafe)}", unsafe=unsafe)
        return self.verdict(True, f"{', '.join(sorted(files)[:3])} load without running code", unsafe=[])


def _known(value: object) -> bool:
    return isinstance(value, str) and value.strip() not in _UNKNOWN


def _suffix(name: str) -> str:
    """Return what follows the last dot of a file's own name, dot included."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def _axis(run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    axes = run.get("axes")
    axis = axes.get(name) if isinstance(axes, Mapping) else None
    return axis if isinstance(axis, Mapping) else {}


def _sections(body: str) -> dict[str, bool]:
    """Return the headings of a card, and of each whether it has text below; comments are none, code has no headings."""
    found: dict[str, bool] = {}
    above: list[tuple[int, str]] = []
    fenced = False
    lines = _COMMENT.sub("", body).splitlines()
    for line, below in zip(lines, [*lines, ""][1:], strict=True):
        if line.lstrip().startswith(_FENCES):
            fenced = not fenced
        elif not fenced and (heading := _heading(line, below)):
            level, title = heading
            above = [*(one for one in above if one[0] < level), heading]
            found.setdefault(title, False)
        elif line.strip() and (fenced or not _UNDERLINE.fullmatch(line)):
            found.update((title, True) for _, title in above)
    return found


def _heading(line: str, below: str) -> tuple[int, str] | None:
    """Return the level and the title of a heading, which begins with number signs or is underlined."""
    marked = _HEADING.match(line)
    if marked:
        return len(marked["marks"]), _title(marked["title"])
    if _PARAGRAPH.match(line) and _UNDERLINE.fullmatch(below):
        return 1 if "=" in below else 2, _title(line)
    return None


def _title(text: str) -> str:
    """Return a heading's title without what adorns it: number signs that close it, emphasis, a colon at its end."""
    title = text.rstrip()
    bare = title.rstrip("#")
    return " ".join((bare if bare[-1:].isspace() else title).split()).strip("*_: ").casefold()
