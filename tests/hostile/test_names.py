"""Names from outside: a hundred thousand of them, each of which is refused, or names something below the root."""

from __future__ import annotations

import os
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artreg.core import keys
from artreg.core.config import data_path_problem
from artreg.core.manifest import Manifest, check_file_name
from artreg.core.names import Alias, ModelName, Reference
from artreg.core.snapshot import SnapshotRef, snapshot_name
from artreg.core.version import Version
from artreg.errors import ArtregError, InvalidInput
from artreg.store.factory import open_store
from artreg.store.interface import check_key
from artreg.store.local import LocalStore
from artreg.store.names import is_segment
from hostile.nasty import SIGNS, TEXTS, invisible, text
from hostile.test_documents import problems
from hostile.tripwire import watching
from hostile.victim import run
from sizes import FULL

NAMES = 100_000 if FULL else 20_000
ROOT = "/root/of/the/registry"


def is_below(key: str) -> bool:
    return os.path.normpath(f"{ROOT}/{key}") == f"{ROOT}/{key}" and key.isprintable()


def model(name: str) -> list[str]:
    found = ModelName.parse(name, "demo")
    assert ModelName.parse(str(found), "other") == found
    return [keys.model_prefix(found), keys.histories_prefix(found), keys.verifications_prefix(found)]


def alias(name: str) -> list[str]:
    found = Alias(name)
    return [keys.pointer_key(ModelName("p", "m"), found), keys.record_key(ModelName("p", "m"), found, 1)]


def version(name: str) -> list[str]:
    found = Version.parse(name)
    assert Version.parse(str(found)) == found
    return [keys.manifest_key(ModelName("p", "m"), found), keys.event_key(ModelName("p", "m"), found, 1)]


def reference(name: str) -> list[str]:
    found = Reference.parse(name, "demo")
    assert Reference.parse(str(found), "other") == found
    return [keys.model_prefix(found.model)]


def snapshot(name: str) -> list[str]:
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", snapshot_name(name))
    found = SnapshotRef.parse(name)
    return [keys.snapshot_prefix(found.name, found.sha256, copied=False)]


def file_name(name: str) -> list[str]:
    check_file_name(name)
    line = f"{'0' * 64}  {name}\n".encode()
    assert list(Manifest.parse(line, "it").files) == [name]
    return [name]


READERS: dict[str, Callable[[str], list[str]]] = {
    "model": model,
    "alias": alias,
    "version": version,
    "reference": reference,
    "snapshot": snapshot,
    "file": file_name,
    "key": lambda name: [check_key(name)],
    "segment": lambda name: [name] if is_segment(name) else [],
}


def test_a_hundred_thousand_names_are_refused_or_lie_below_the_root() -> None:
    dice, taken, refused = random.Random("names"), Counter[str](), Counter[str]()
    kinds = list(READERS)
    for number in range(NAMES):
        name = text(dice)
        for kind in kinds if FULL else (kinds[number % len(kinds)], "key"):
            try:
                found = READERS[kind](name)
            except InvalidInput:
                refused[kind] += 1
                continue
            assert all(map(is_below, found)), (kind, name, found)
            taken[kind] += 1
    print(f"{NAMES} names: taken {dict(taken)}, refused {dict(refused)}")
    assert min(taken[kind] for kind in kinds if kind != "snapshot") > 0  # else nothing was tried


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: f"U+{ord(sign):04X}")
def test_no_sign_that_nobody_sees_stands_in_a_name(sign: str) -> None:
    hidden = not sign.isprintable()
    for name in (f"churn{sign}", f"{sign}churn", f"chu{sign}rn"):
        for kind in ("model", "alias", "version", "reference", "snapshot"):
            with pytest.raises(InvalidInput):
                READERS[kind](name)
        if hidden:
            for kind in ("file", "key"):
                with pytest.raises(InvalidInput):
                    READERS[kind](name)


def test_names_that_another_system_takes_for_one_are_not_two_names_of_a_model() -> None:
    """Case, width and composition make one name of two on some disks; of models, aliases and versions none is left."""
    for name in ("Churn", "CHURN", "ﬁle", "e\u0301", "é", "chu\uff52n", "stra\u00dfe", "\u0131d", "a\u2024b"):
        assert unicodedata.normalize("NFKC", name.casefold()) != name or not name.isascii()
        for kind in ("model", "alias", "version"):
            with pytest.raises(InvalidInput):
                READERS[kind](name)


def uri_texts(dice: random.Random) -> str:
    scheme = dice.choice(
        ("s3", "S3", "gs", "az", "file", "memory", "http", "simplecache::s3", "zip", "github", "s3a", "")
    )
    rest = dice.choice(
        ("bucket/prefix", "u:p@bucket/x", "bucket?versionId=1", "bucket#x", "../x", "//x", "", "bucket/a//b")
    )
    place = dice.randrange(len(rest) + 1)
    trick = dice.choice(("", *SIGNS, "%00", "%2e%2e/", "::", "@", "\\", "a" * 300))
    return f"{scheme}://{rest[:place]}{trick}{rest[place:]}"


def test_a_root_is_of_an_allowed_kind_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("artreg.store.s3.open_s3", lambda bucket, prefix, options: ("s3", bucket, prefix))
    monkeypatch.setattr("artreg.store.generic.open_generic", lambda scheme, package, bucket, prefix, options: (scheme,))
    dice, kinds = random.Random("roots"), Counter[str]()
    for _ in range(20_000 if FULL else 2_000):
        url = uri_texts(dice) if dice.random() < 0.8 else text(dice)
        try:
            found: Any = open_store(url)
        except InvalidInput as error:
            kinds["refused, password told" if "u:p@" in error.message + error.hint else "refused"] += 1
            continue
        kind = found[0] if isinstance(found, tuple) else type(found).__name__
        kinds[kind] += 1
        assert kind in {"s3", "gs", "az", "MemoryStore", "LocalStore"}, url
        if kind == "LocalStore":
            assert "://" not in url or url.lower().startswith("file://"), url
        if kind == "s3":
            _, bucket, prefix = found
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]+", bucket), url
            assert not prefix or is_below(prefix), url
    print(f"roots: {dict(kinds)}")
    assert set(kinds) == {"refused", "s3", "gs", "az", "LocalStore", "MemoryStore"}


def test_data_come_from_an_allowed_kind_of_place() -> None:
    dice = random.Random("data")
    allowed = ("s3:", "gs:", "gcs:", "az:", "abfs:", "abfss:", "https:", "http:", "file:", "memory:")
    for _ in range(20_000 if FULL else 2_000):
        url = uri_texts(dice)
        if data_path_problem(url) == "":
            assert not any(trick in url for trick in ("::", "?", "#", "://u:p@")), url
            assert url.lower().startswith(allowed) or url.startswith("sklearn:"), url
            assert url.isprintable()


WORDS = (
    "resolve {}",
    "show {}",
    "list {}",
    "history {}",
    "verify {}",
    "yank {} --reason x --dry-run",
    "check churn {} --to prod",
    "check churn 1.2.0 --to {}",
    "promote {} 1.2.0 --to staging --dry-run",
    "approve churn@1.2.0 --to {} --dry-run",
    "rollback {} --dry-run",
    "freeze staging --until {} --reason x --dry-run",
    "pull {} --dry-run",
    "data show {}",
    "data pull {} -o x",
    "list -r {}",
    "list --project {}",
    "resolve prod --model {}",
    "publish {} --model churn --bump patch --dry-run",
    "publish made --model {} --version {} --dry-run",
    "policy check {}",
    "train --config {} --dry-run",
    "train --set {} --dry-run",
    "promote --plan {} --dry-run",
    "verify --since {}",
    "verify --sample {}",
    "verify --subset {}",
    "gc --older-than {} --dry-run",
    "history prod --at {}",
    "approve churn@1.2.0 --to prod --sign-key {} --dry-run",
    "drift {} {}",
    "{}",
    "data {}",
    "list --{}",
)


def test_no_argument_breaks_a_command_or_leads_it_astray(root: Path, tmp_path: Path) -> None:
    dice, wrong, codes = random.Random("arguments"), list[str](), Counter[int]()
    Path("made").mkdir()
    for words in WORDS:
        run(*[word.replace("{}", "x") for word in words.split()])  # loads what it needs
    with watching(tmp_path, Path(os.path.realpath("/tmp"))) as wire:
        for number in range(3_000 if FULL else 70):
            name = dice.choice(TEXTS)[:5_000] if dice.random() < 0.4 else text(dice)
            if name.startswith(("/", "~", "..", "file:///")) and "passwd" not in name:
                continue  # a person may look where she likes
            ran = run(*[word.replace("{}", name) for word in WORDS[number % len(WORDS)].split()])
            codes[ran.code] += 1
            wrong += problems(ran)
            if "passwd" not in name and ".." not in name:
                wrong += [f"{' '.join(ran.words)[:200]!r}: {it}" for it in wire.touched if not _asked_for(it, name)]
            wire.touched.clear()
    print(f"arguments: exit codes {dict(sorted(codes.items()))}")
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text
    assert sorted(path.name for path in root.parent.iterdir()) == ["made", "registry"]


def _asked_for(touched: str, name: str) -> bool:
    return touched.startswith(("open", "os.listdir", "os.scandir")) and name.strip("/")[:20] in touched


READ_BY_VARIABLES = (
    "resolve prod",
    "list",
    "policy show",
    "yank churn@1.2.0 --reason x --dry-run",
    "check churn 1.2.0 --to prod",
)
LINES = (("artreg resolve ", "9" * 30), ('artreg "', "x"), ("artreg resolve chu", "-1"), ("\x1b", ""))
ENVIRONMENT = ("REGISTRY", "PROJECT", "MODEL", "POLICY", "ACTOR", "ENDPOINT_URL")


def test_no_variable_breaks_a_command_or_leads_it_astray(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice, wrong = random.Random("environment"), list[str]()
    for number in range(1_000 if FULL else 40):
        value = text(dice).replace("\0", "") if dice.random() < 0.7 else dice.choice(TEXTS)[:300]
        name = f"ARTREG_{ENVIRONMENT[number % len(ENVIRONMENT)]}"
        try:
            os.fsencode(value)
        except UnicodeEncodeError:
            continue
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            wrong += [f"{name}={value!r}: {it}" for it in problems(run(*dice.choice(READ_BY_VARIABLES).split()))]
    for shell in ("bash", "zsh", "fish", "complete_bash", "powershell", "x"):
        for line, word in LINES:
            with monkeypatch.context() as patch:
                patch.setenv("_ARTREG_COMPLETE", shell)
                rans = [run(word, line), run(*line.split(" "), word), run(line)]
            wrong += [f"{shell} {line!r} {word!r}: {ran}" for ran in rans if ran.code != 0 or ran.err]
            told = "".join(ran.out.replace("\t", " ") for ran in rans)  # a tab stands between a word and its meaning
            wrong += [f"{shell}: {sign!r}" for sign in invisible(told)]
    assert not wrong, ascii("\n".join(wrong[:20]))  # what reports carry must be text


def test_no_name_in_a_store_leads_out_of_it(tmp_path: Path) -> None:
    store, dice = LocalStore(tmp_path / "root"), random.Random("keys")
    store.make_root()
    (tmp_path / "outside").write_text("CANARY")
    actions: tuple[Callable[[str], Any], ...] = (
        store.read,
        store.pointer,
        store.page,
        lambda key: store.create(key, b"x"),
        lambda key: store.delete([key]),
    )
    with watching(tmp_path / "root") as wire:
        for _ in range(3_000 if FULL else 300):
            key = dice.choice(("../outside", "a/../../outside", "/etc/passwd", text(dice), f"demo/{text(dice)}"))
            for action in actions:
                try:
                    found = action(key)
                except ArtregError:
                    continue
                assert found != b"CANARY"
    assert wire.touched == []
    assert (tmp_path / "outside").read_text() == "CANARY"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "root"]
