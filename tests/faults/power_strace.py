"""Real commands under strace: killed or failed at a chosen system call, and seen from outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ARTREG = str(Path(sys.executable).with_name("artreg"))
CALLS = {
    "mkdir": "?mkdir,?mkdirat",
    "write": "write",
    "fsync": "fsync",
    "link": "?link,?linkat",
    "rename": "?rename,?renameat,?renameat2",
    "symlink": "?symlink,?symlinkat",
    "unlink": "?unlink,?unlinkat,?rmdir",
}
"""What changes a disk, by names that every processor's system calls have."""

_CHANGING = (
    "?open,openat,?openat2,?creat,write,pwrite64,writev,pwritev,?pwritev2,copy_file_range,sendfile,splice,truncate,ftruncate,"
    "fallocate,fsync,fdatasync,sync,syncfs,sync_file_range,?mkdir,mkdirat,?rmdir,?link,linkat,?symlink,symlinkat,"
    "?unlink,unlinkat,?rename,renameat,?renameat2,?mknod,mknodat,ioctl,mmap"
)


@dataclass(frozen=True)
class Ran:
    """What a command under strace came to."""

    code: int
    out: str
    err: str


def run(words: Sequence[str], folder: Path, inject: str = "") -> Ran:
    """Run artreg, under strace if something is injected: `mkdir:signal=KILL:when=3`."""
    call, _, what = inject.partition(":")
    chosen = f"inject={CALLS[call]}:{what}" if inject else ""
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", chosen]
    quiet = {"PYTHONDONTWRITEBYTECODE": "1"} if inject else {}  # Python's own files are not meant
    environment = {**os.environ, **quiet, "ARTREG_REGISTRY": "registry", "ARTREG_ACTOR": "ada", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [*(strace if inject else []), ARTREG, *words, "--json"],
        check=False, cwd=folder, capture_output=True, text=True, env=environment, timeout=120,
    )  # fmt: skip
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def changes(command: Sequence[str], top: Path, log: Path) -> Counter[str]:
    """Run a command, and return what strace saw it do to files below a folder: each call with its names.

    Opening counts where it makes a file; mapping where the file could be written through it.
    """
    subprocess.run(
        ["strace", "-f", "-qq", "-y", "-s", "0", "-o", log, "-e", f"trace={_CHANGING}", *command], check=True
    )
    lines = _whole_lines(log.read_text().splitlines())
    return Counter(seen for line in lines if (seen := _change(line, os.fspath(top))))


def _whole_lines(lines: Sequence[str]) -> list[str]:
    """Put together calls during which another thread was shown."""
    begun: dict[str, str] = {}
    whole = []
    for line in lines:
        thread, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            begun[thread] = rest.removesuffix("<unfinished ...>")
        elif resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", rest):
            whole.append(begun.pop(thread) + resumed[1])
        else:
            whole.append(rest)
    return whole


def _change(line: str, top: str) -> str:  # noqa: PLR0911  # one line for each kind of call
    """A call that succeeded in changing something below `top`, by the name that a record has for it, or ''."""
    match = re.fullmatch(r"(\w+)\((.*)\)\s+= (-?\d+)(.*)", line)
    if match is None or match[3] == "-1" or not re.search(f"{re.escape(top)}[/>]", line):
        return ""
    call, arguments = match[1], match[2]
    if call.startswith(("open", "creat")):
        return "create" if "O_CREAT" in arguments and top in match[4] else ""
    if call == "mmap":
        return "mmap" if "PROT_WRITE" in arguments and "MAP_SHARED" in arguments else ""
    if call == "ioctl" and "FICLONE" not in arguments:
        return ""
    if call in {"write", "pwrite64"}:
        return "write" if arguments.partition(",")[0].find(top) > 0 else ""
    if call == "copy_file_range":
        return "write" if match[3] != "0" else ""
    for name in ("mkdir", "rename", "symlink", "link", "unlink", "rmdir"):
        if call.startswith(name):
            return "unlink" if name == "rmdir" else name
    return call
