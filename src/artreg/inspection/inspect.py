"""Says what loading a file would do, by what the file holds: nothing of it is made, and none of it is run.

What a file is called is not believed alone: one that is called a pickle is followed as one whatever it begins with,
and one that is an archive is looked through whatever it is called.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import IO

from artreg.core.inspection import Danger, FileReport, Finding
from artreg.errors import IntegrityError, InvalidInput
from artreg.inspection import arrays
from artreg.inspection.archives import ZIP_MAGIC, checked_archive
from artreg.inspection.documents import parse_json
from artreg.inspection.limits import SCHEMA
from artreg.inspection.packing import packing, unpacked
from artreg.inspection.pickles import Follower
from artreg.inspection.skops_schema import SCHEMA_FILE, nodes, read_schema, type_name
from artreg.inspection.tensors import read_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Untrusted = Callable[[IO[bytes]], Mapping[str, str]]
    Opinion = Callable[[IO[bytes]], str]

_PICKLES = {"joblib", "pkl", "pickle", "pt", "pth", "bin", "dill", "ckpt"}
_TORCH = {"pt", "pth", "bin", "ckpt"}
_LEGACY = 5  # pickles that torch wrote one after the other before it wrote archives
_PROTO = b"\x80"
_HEADER = 9


def inspect_file(file: IO[bytes], name: str, trusted_by: Untrusted, opinion: Opinion | None = None) -> FileReport:
    """Return what was found in a file.

    Args:
        file: The file.
        name: Its name.
        trusted_by: Says of the types that a skops archive needs who trusts each, '' for nobody.
        opinion: What else is asked about a pickle, if anything is.
    """
    look = _Look(file, name, trusted_by, opinion)
    try:
        look.at_everything()
    except IntegrityError as error:
        look.findings.append(Finding(Danger.UNREADABLE, error.message))
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        look.findings.append(Finding(Danger.UNREADABLE, str(error)))
    findings = sorted(look.findings, key=lambda one: (-one.danger.rank, one.what))
    formats = ", ".join(look.formats) or "unknown"
    return FileReport(name, look.size, formats, tuple(findings), look.parts, "; ".join(look.opinions))


class _Look:
    """One look at a file, with what it came to so far."""

    def __init__(self, file: IO[bytes], name: str, trusted_by: Untrusted, opinion: Opinion | None) -> None:
        self._file, self._trusted_by, self._opinion = file, trusted_by, opinion
        self.opinions: list[str] = []
        self._suffix = name.rpartition("/")[2].rpartition(".")[2].lower()
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        self._head = file.read(arrays.HEAD)
        file.seek(0)
        self.formats: list[str] = []
        self.findings: list[Finding] = []
        self.parts: dict[str, str] = {}

    def at_everything(self) -> None:
        archive = self._is_archive()
        called_pickle = self._suffix in _PICKLES
        if archive and called_pickle and not self._head.startswith(ZIP_MAGIC):
            self._pickles()  # an archive may follow a pickle, and each reader finds its own
        if archive:
            self._archive()
        elif self._head.startswith(arrays.MAGIC):
            self._array()
        elif self._is_tensors():
            self._tensors()
        elif self._suffix == "json":
            self._json()
        elif called_pickle or self._head.startswith(_PROTO) or packing(self._head):
            self._pickles()
        else:
            self._unknown()

    def _is_archive(self) -> bool:
        found = self._head.startswith(ZIP_MAGIC) or self._suffix == "skops" or zipfile.is_zipfile(self._file)
        self._file.seek(0)
        return found

    def _is_tensors(self) -> bool:
        return self._suffix == "safetensors" or (
            len(self._head) >= _HEADER
            and self._head[8:9] == b"{"
            and int.from_bytes(self._head[:8], "little") < self.size
        )

    def _json(self) -> None:
        self.formats.append("json")
        parse_json(self._file.read(SCHEMA + 1), "it")

    def _unknown(self) -> None:
        self.findings.append(Finding(Danger.MAY_RUN, "its format is not known here", "nobody can say what loads it"))

    def _tensors(self) -> None:
        self.formats.append("safetensors")
        for name, tensor in read_tensors(self._file, "it").items():
            self.parts[name] = f"{tensor.dtype} {list(tensor.shape)}"

    def _array(self) -> None:
        self.formats.append("npy")
        array = arrays.parse_header(self._head, "it")
        self.parts["array"] = str(array)
        if not array.objects:
            arrays.check_array(self._head, self.size, "it")
            return
        self._file.seek(array.start)
        self._follow(self._file, joblib=False)

    def _pickles(self) -> None:
        method = packing(self._head)
        called = "torch" if self._suffix in _TORCH else "joblib" if self._suffix == "joblib" or method else "pickle"
        self.formats.append(f"{called}, packed by {method}" if method else called)
        self._file.seek(0)
        try:
            file = unpacked(self._file, "it")
        except InvalidInput as error:  # by a method that is not read
            raise IntegrityError(error.message) from error
        self._follow(file, joblib=called == "joblib", times=_LEGACY if called == "torch" else 1)

    def _follow(self, file: IO[bytes], *, joblib: bool, times: int = 1) -> None:
        if self._opinion is not None:
            start = file.tell()
            self.opinions.append(self._opinion(file))
            file.seek(start)
        follower = Follower(joblib=joblib)
        followed = 0
        while followed < times and follower.follow(file):
            followed += 1
        rest = file.read(1)
        if rest and followed == times == 1:
            follower.note(Danger.UNREADABLE, "something follows the end of the pickle")
        found = follower.findings()
        self.findings += found or [Finding(Danger.PICKLE, "a pickle that imports nothing")]

    def _archive(self) -> None:
        with checked_archive(self._file, "it") as archive:
            names = archive.namelist()
            pickles = [name for name in names if name.endswith(".pkl")]
            if SCHEMA_FILE in names or self._suffix == "skops":
                self.formats.append("skops")
                self._skops(archive)
            elif pickles:
                self.formats.append("torch")
                for name in pickles:
                    self._follow(io.BytesIO(archive.read(name)), joblib=False)
            elif names and all(name.endswith(".npy") for name in names):
                self.formats.append("npz")
            else:
                self.formats.append("zip")
                self._unknown()
            if any("/code/" in f"/{name}" and name.endswith(".py") for name in names):
                self.findings.append(Finding(Danger.MAY_RUN, "a program of TorchScript"))
            self._arrays_inside(archive, names)

    def _arrays_inside(self, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
        for name in names:
            with archive.open(name) as member:
                head = member.read(arrays.HEAD)
            if head.startswith(arrays.MAGIC):
                array = arrays.parse_header(head, name)
                self.parts[name] = str(array)

    def _skops(self, archive: zipfile.ZipFile) -> None:
        schema = read_schema(archive, "it")
        times: dict[str, int] = {}
        for node in nodes(schema):
            times[type_name(node)] = times.get(type_name(node), 0) + 1
        trusted = self._trusted_by(self._file)
        for name in sorted({*times, *trusted}):
            who = trusted.get(name, "skops")
            danger = Danger.NONE if who else Danger.TYPES
            self.findings.append(
                Finding(danger, name, f"trusted by {who}" if who else "trusted by nobody", times.get(name, 1))
            )
