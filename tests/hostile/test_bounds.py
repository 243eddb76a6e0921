"""Documents that are huge, deep or packed: refused within a bound of memory, which the system enforces."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pytest

from artreg.core import canonical, predictions
from artreg.errors import IntegrityError, InvalidInput
from artreg.store.interface import READ_LIMIT
from artreg.yamldoc import MAX_BYTES, parse_yaml
from hostile.victim import alarm, clean_environment
from sizes import FULL

MEMORY = 768 * 2**20
"""What reading one document of any kind may take beside Python and artreg themselves."""

LIMITED = f"""
import resource, sys
from artreg.cli.main import main
import artreg.cli.commands.checking, artreg.registry.assess, artreg.registry.snapshots, artreg.core.policy_file, yaml
used = 1024 * int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize")))
resource.setrlimit(resource.RLIMIT_AS, (used + {MEMORY}, used + {MEMORY}))
for line in sys.stdin:
    place, how, words = line.rstrip("\\n").split("\\t")
    from pathlib import Path
    path = Path(place)
    kept = path.read_bytes() if path.is_file() else None
    path.parent.mkdir(exist_ok=True, parents=True)
    exec(how)
    code = main(words.split())
    print("CODE", code, place, words, flush=True)
    path.unlink() if kept is None else path.write_bytes(kept)
"""

SPARSE = "path.touch(); import os; os.truncate(path, 10 * 2**30)"
V, H = "registry/demo/churn/1.2.0", "registry/demo/churn/history"
RECORD = (f"{H}/staging/00000003.json", "resolve churn@staging", 4)
HUGE = [
    (f"{V}/run.json", SPARSE, "show churn@1.2.0", 4),
    (f"{V}/run.json", SPARSE, "verify churn@1.2.0", 4),
    (f"{V}/metrics.json", SPARSE, "show churn@1.2.0", 4),
    (f"{V}/metrics.json", SPARSE, "check churn 1.2.0 --to prod", 4),
    (f"{V}/checksum.txt", SPARSE, "show churn@1.2.0", 4),
    (RECORD[0], SPARSE, *RECORD[1:]),
    (f"{H}/1.1.0/00000004.json", SPARSE, "approvals churn@1.1.0", 4),
    ("registry/.artreg/policy/00000001.json", SPARSE, "policy show", 4),
    ("made/metrics.json", SPARSE, "publish made --model m --version 1.0.0", 2),
    ("made/run.json", SPARSE, "publish made --model m --version 1.0.0", 2),
    ("made/checksum.txt", SPARSE, "publish made --model m --version 1.0.0", 2),
    ("p.yaml", SPARSE, "policy check p.yaml", 2),
    ("c.yaml", SPARSE, "train --config c.yaml", 2),
    ("configs/artreg.yaml", SPARSE, "list", 2),
    # As large as a document may be, and of what takes most memory for its bytes.
    *(
        (RECORD[0], f"path.write_bytes(({made})[:{READ_LIMIT}])", *RECORD[1:])
        for made in (
            "b'[' * 2**24",
            "b'{\"a\":[' + b'[],' * 2**23",
            "b'{\"a\":[' + b'{},' * 999_000 + b'0]}'",
            "b'{\"a\":[' + b'1e9,' * 4_000_000 + b'0]}'",
            "b'{\"a\":[' + b'\"ab\",' * 3_200_000 + b'0]}'",
            "('{' + ','.join(f'\"{n:x}\":0' for n in range(1_400_000)) + '}').encode()",
        )
    ),
    (
        "made/metrics.json",
        "path.write_bytes(b'{\"a\":' + b'9' * 10**7 + b'}')",
        "publish made --model m --bump patch",
        2,
    ),
    ("p.yaml", f"path.write_text('a: [' + '1,' * {MAX_BYTES // 2 - 8} + '1]')", "policy check p.yaml", 2),
]
QUICK = (1, 3, 5, 7, 8, 11, 13, 14, 16)


def test_what_is_huge_is_refused_within_a_bound_of_memory(root: Path) -> None:
    Path("made").mkdir()
    Path("made/model.json").write_text("{}")
    newest = {name: max((root / f"demo/churn/history/{name}").glob("*.json")).name for name in ("staging", "1.1.0")}
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
    cases = [case for number, case in enumerate(HUGE) if FULL or number in QUICK]
    lines, expected = [], []
    for written, how, words, code in cases:
        of = next((name for name in newest if f"{H}/{name}/" in written), "")
        place = f"{H}/{of}/{newest[of]}" if of else written
        lines.append(f"{place}\t{how}\t{words}")
        expected.append(f"CODE {code} {place} {words}")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        input="\n".join(lines) + "\n",
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("CODE")]
    assert told == expected, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    print(f"{len(cases)} huge documents, each refused within {MEMORY // 2**20} MiB")


DEEP = {
    "lists": b"[" * 1_000_000 + b"]" * 1_000_000,
    "objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "a little too deep": b'{"a":' * 65 + b"1" + b"}" * 65,
    "an integer of a million digits": b'{"a":' + b"9" * 1_000_000 + b"}",
    "an integer that Python cannot print": b'{"a":' + b"9" * 4_301 + b"}",
    "beyond all floats": b'{"a":1e999}',
    "below all floats": b'{"a":-1e999}',
    "no number": b'{"a":NaN}',
    "infinite": b'{"a":-Infinity}',
    "a key twice": b'{"a":1,"a":1}',
    "a key twice, written otherwise": b'{"a":1,"\\u0061":1}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32-le"),
    "something behind it": b"{} {}",
    "a NUL behind it": b"{}\0",
    "no UTF-8": b'{"a":"\xff"}',
    "half a character": b'{"a":"\xed\xa0\x80"}',
    "a control character": b'{"a":"\x01"}',
    "no object": b"[1]",
    "nothing": b"",
    "a comment": b"{} // {}",
    "quotes of the wrong kind": b"{'a':1}",
    "a comma too many": b'{"a":1,}',
    "very many parts": b'{"a":[' + b"[]," * 1_000_001 + b"0]}",
}


@pytest.mark.parametrize("name", DEEP)
def test_json_that_is_none_of_ours_is_refused_by_name(name: str) -> None:
    with alarm(name), pytest.raises(IntegrityError, match="the thing"):
        canonical.loads(DEEP[name], "the thing")


@pytest.mark.parametrize(
    "text", ["-0", "-0.0", "1.0", "1e5", "1E5", '"\\u00e9"', '"\\ud800"', "0.10", "[1,2]", "5e-324"]
)
def test_json_that_is_not_as_artreg_writes_it_is_no_record(text: str) -> None:
    data = f'{{"a": {text}}}'.encode()
    document = canonical.loads(data, "the thing")
    assert canonical.loads_canonical(canonical.dumps(document), "the thing") == document
    with pytest.raises(IntegrityError, match="not as artreg wrote it"):
        canonical.loads_canonical(data, "the thing")


YAML = {
    "a bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "a loop": "a: &a [*a]\n",
    "an anchor that is merged": "a: &a {x: 1}\nb: {<<: *a}\n",
    "a merge by its tag": "a: {!!merge x: {y: 1}}\n",
    "a value by its tag": "a: {!!value x: 1}\n",
    "an object of Python": "a: !!python/object/apply:os.system [id]\n",
    "a name of Python": "a: !!python/name:os.system\n",
    "a set": "a: !!set {x}\n",
    "bytes": "a: !!binary aGVsbG8=\n",
    "a date by its tag": "a: !!timestamp 2026-01-01\n",
    "a tag of one's own": "a: !mine x\n",
    "a key twice": "a: 1\na: 2\n",
    "a key twice, written otherwise": 'a: 1\n"a": 2\n',
    "a list for a key": "[a]: 1\n",
    "a mapping for a key": "{a: b}: 1\n",
    "two documents": "a: 1\n---\nb: 1\n",
    "deep lists": "a: " + "[" * 20_000,
    "deep mappings": "a: " + "{b: " * 20_000,
    "deep dashes": "- " * 100_000,
    "deep question marks": "? " * 100_000,
    "a hundred thousand values": "a: [" + "1," * 100_000 + "1]\n",
    "a sign that cannot be": 'a: "\\U00110000"\n',
    "a larger one": 'a: "\\UFFFFFFFF"\n',
    "a version of many digits": f"%YAML 1.{'9' * 5_000}\n---\na: 1\n",
    "a control character": "a: \x01\n",
    "no end of a string": 'a: "' + "x" * 200_000,
    "tabs": "a:\n\tb: 1\n",
    "a huge key": "? " + "k" * 200_000 + "\n:\n: \n",
}


@pytest.mark.parametrize("name", YAML)
def test_yaml_that_means_harm_is_refused_by_name(name: str) -> None:
    with alarm(name), pytest.raises(InvalidInput, match=r"file\.yaml"):
        parse_yaml(YAML[name].encode(), "file.yaml")


def test_words_and_numbers_of_yaml_mean_what_they_say() -> None:
    text = "{a: yes, b: no, c: on, d: 010, e: 1:30, f: 2026-01-01, g: 1_000, h: 0x1F, i: 1e3, j: ~, k: =, l: <<}"
    found = parse_yaml(text.encode(), "file.yaml")
    assert found == {
        "a": "yes",
        "b": "no",
        "c": "on",
        "d": 10,
        "e": "1:30",
        "f": "2026-01-01",
        "g": "1_000",
        "h": 31,
        "i": 1000.0,
        "j": None,
        "k": "=",
        "l": "<<",
    }


def test_what_is_packed_unpacks_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    if not FULL:
        monkeypatch.setattr(predictions, "LARGEST", 20_000_000)
        monkeypatch.setattr(predictions, "MOST_ROWS", 50_000)
    largest, most = predictions.LARGEST, predictions.MOST_ROWS
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(largest // 2**20 + 2)) + packer.flush()
    assert len(bomb) < largest // 100
    with pytest.raises(IntegrityError, match="unpacks to more than"):
        predictions.decode(bomb)
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    rows = b"id,label,score\n" + b"a,0,0\n" * (most + 2)
    with pytest.raises(IntegrityError, match=f"more than {most:,} rows"):
        predictions.decode(packer.compress(rows) + packer.flush())


def test_patterns_do_not_backtrack_without_end() -> None:
    """Each was made for a rule that somebody else's text is held against; the alarm rings where one takes minutes."""
    program = textwrap.dedent(
        """
        from artreg.core.gates.provenance import _BLANK, _COMMENT, _sections
        from artreg.core.manifest import Manifest
        from artreg.core.model_card import split_card
        from artreg.core.names import is_alias, is_name
        from artreg.core.policy import matches
        from artreg.core.scalars import parse_scalar
        from artreg.core.version import stored_version
        from artreg.core.comparison.facts import locked_packages
        from artreg.cli.view import without_credentials
        import sys; n = int(sys.argv[1])
        assert not is_name("a" * n + "!") and not is_alias("a" * n + "!")
        assert stored_version("1.0.0-" + "a." * n) is None
        assert not matches("a" * 2_000 + "!", ["*a" * 50 + "b"])
        assert parse_scalar("1" * n + "x") == "1" * n + "x" and parse_scalar("1." * 5_000)
        lines = [f"{line}\\n" * n for line in ("# a", "", "a\\n-", "---")]
        for card in ("<!--" * n, "# " * n, "#" * n, "[" * n, "<!-- " + " " * n, "`" * n, *lines):
            _sections(split_card(card)[1]), _BLANK.findall(card), _COMMENT.sub("", card)
        for lines in ("x/" * n, "a." * n, "A" * n + "/", "a/" * 50 + "\\n"):
            try:
                Manifest.parse((("0" * 64 + "  " + lines + "\\n") * 20).encode(), "it")
            except Exception as error:
                assert "damaged" in str(error)
        without_credentials("//" * n), without_credentials("//a" * n)
        lock = b"".join(b'[[package]]\\nname = "p%d"\\n' % n for n in range(n // 10))
        assert len(locked_packages(lock)) == n // 10
        """
    )
    subprocess.run([sys.executable, "-c", program, "200000" if FULL else "20000"], timeout=600, check=True)


def test_a_document_may_have_as_many_parts_as_the_bound_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert READ_LIMIT == 16 * 2**20
    monkeypatch.setattr(canonical, "_CONTAINER_LIMIT", 1_000)
    canonical.loads(json.dumps({"a": [{}] * 998}).encode(), "as many as may be")
    with pytest.raises(IntegrityError, match="more than 1,000 objects and lists"):
        canonical.loads(json.dumps({"a": [{}] * 999}).encode(), "one more")
