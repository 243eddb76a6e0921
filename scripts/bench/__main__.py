"""`make bench`: times artreg against the limits of this machine and its peers, and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import bucket as bucket_
import large
import local
import pages as pages_
from measure import Result

import peers as peers_
import training

SECTIONS: Mapping[str, Callable[[Path, int], Iterator[Result]]] = {
    "start": local.start,
    "verify": local.verification,
    "copy": local.copying,
    "moves": local.moves,
    "scale": local.scale,
    "training": training.training,
    "s3": bucket_.bucket,
    "peers": peers_.peers,
    "pages": pages_.pages,
}
EXPLANATIONS = "What the figures say"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"

INTRODUCTION = """# Benchmarks

Made by `make bench`: it compares each operation with the limit that the machine sets to it, in one run and in turn, and
writes this page. A ratio is one of medians; the spread is that of the ratios of single pairs. Nothing here is a
promise for another machine, and no test asserts a time: what tests assert is counts of imports, requests and bytes.

"""


def main() -> int:
    """Run what is asked for, print each result as it comes, and write the page if everything was run."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = f"of {', '.join(SECTIONS)}; by default all that can be run here; and large, which takes minutes"
    parser.add_argument("sections", nargs="*", help=known)
    parser.add_argument("--runs", type=int, default=9, help="how often each thing is timed")
    wanted = parser.parse_args()
    lacking = {"s3": not bucket_.ENDPOINT, "pages": not pages_.CHROMIUM}
    names = wanted.sections or [name for name in SECTIONS if not lacking.get(name)]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="artreg-bench-") as folder:
        for name in names:
            if name == "large":
                PAGE.write_text(_with_large(large.main()))
                continue
            for result in SECTIONS[name](Path(folder), wanted.runs):
                results.append(result)
                print(_line(result), flush=True)
    if not wanted.sections:
        PAGE.write_text(_page(results))
    return 0


def _with_large(section: str) -> str:
    """Return the page as it is, with another section on the large registry before what the figures say."""
    parts = PAGE.read_text().split("\n## ")
    rest = [part for part in parts if not part.startswith(large.TITLE)]
    place = next((place for place, part in enumerate(rest) if part.startswith(EXPLANATIONS)), len(rest))
    return "\n## ".join([*rest[:place], section, *rest[place:]])


def _page(results: list[Result]) -> str:
    lines = [INTRODUCTION.rstrip(), "", _machine(), ""]
    for section in dict.fromkeys(result.section for result in results):
        lines += [
            f"## {section}",
            "",
            "| what | compared with | ratio | spread | goal | |",
            "| --- | --- | ---: | --- | ---: | --- |",
        ]
        lines += [_row(result) for result in results if result.section == section]
        lines += [""]
    old = PAGE.read_text().split("\n## ") if PAGE.exists() else []
    kept = [part for part in old if part.startswith((large.TITLE, EXPLANATIONS))]
    return "\n## ".join(["\n".join(lines), *kept])


def _row(result: Result) -> str:
    sign = "≥" if result.more else "≤"
    ratio, note = result.ratio, f"; {result.note}" if result.note else ""
    times = f"{_time(ratio.own)} against {_time(ratio.other)}"
    spread = f"{ratio.low:.2f} to {ratio.high:.2f}; {times}{note}"
    verdict = "met" if result.met else "missed"
    cells = [result.what, result.against, f"{ratio.value:.2f}", spread, f"{sign} {result.goal:g}", verdict]
    return f"| {' | '.join(cells)} |"


def _line(result: Result) -> str:
    sign = "≥" if result.more else "≤"
    return (
        f"{'met   ' if result.met else 'MISSED'}  {result.ratio.value:6.2f} ({sign} {result.goal:g})  "
        f"{result.section}: {result.what}, against {result.against}: "
        f"{_time(result.ratio.own)} against {_time(result.ratio.other)}"
    )


def _time(seconds: float) -> str:
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{seconds * 1000:.1f} ms"
        if seconds >= 0.01
        else f"{seconds * 1000:.2f} ms"
    )


def _machine() -> str:
    """Describe the machine without naming it."""
    cpu = re.search(r"^model name\s*: (.*)$", _text("/proc/cpuinfo"), re.MULTILINE)
    sha = " with SHA instructions" if "sha_ni" in _text("/proc/cpuinfo") else ""
    memory = re.search(r"^MemTotal:\s*(\d+)", _text("/proc/meminfo"), re.MULTILINE)
    size = f"{int(memory[1]) / 2**20:.0f} GiB of memory" if memory else "unknown memory"
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=False).stdout.split(" (")[0]
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return (
        f"Machine: {os.cpu_count()} × {cpu[1] if cpu else platform.machine()}{sha}, {size}, {system}, "
        f"Python {platform.python_version()}, {openssl.strip()}, {datetime.now(UTC):%Y-%m-%d}."
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
