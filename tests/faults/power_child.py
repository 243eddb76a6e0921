"""What strace looks at: every command of the power-loss tests in one process, which says what its recorder saw."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from faults.power_disk import FILE, FOLDER, Change, Sync, Trace, Write
from faults.power_record import Recorder
from faults.power_steps import ROOT, STEPS, make_sources, open_registry

LEFT_OUT = {"publish by link"}
"""What comes from outside by a link stands in a record as a file that is made and written."""


def _calls(trace: Trace) -> Iterator[str]:
    known = set(trace.base.values())
    for event in trace.events:
        match event:
            case Write():
                yield "write"
            case Sync():
                yield "fsync"
            case Change(places=(_, _)):
                yield "rename"
            case Change(places=((_, _, None),)):
                yield "unlink"
            case Change(places=((_, _, node),)):
                kind = trace.nodes[node].kind
                yield (
                    "mkdir" if kind == FOLDER else "symlink" if kind != FILE else "link" if node in known else "create"
                )
                known.add(node)


def main(folder: Path) -> None:
    sources, top = make_sources(folder / "sources"), folder / "top"
    top.mkdir()
    recorder = Recorder(str(top))
    for name, step in STEPS.items():
        if name not in LEFT_OUT:
            raised = recorder.step(name, partial(step, open_registry(top / ROOT), sources))
            assert raised is None, (name, raised)
    (folder / "recorded.json").write_text(json.dumps(Counter(_calls(recorder.trace))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
