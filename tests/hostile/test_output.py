"""What somebody who may write into a registry can make a terminal or a pull request show: text, and nothing else."""

from __future__ import annotations

import io
import json
import os
import pty
import random
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from artreg.cli.checklist import markdown
from artreg.cli.main import main
from artreg.cli.offers import OFFERS
from artreg.cli.view import LONGEST, is_visible, printable, without_credentials
from artreg.core import canonical
from artreg.store.options import StorageOptions
from hostile.nasty import SIGNS, TEXTS, invisible
from hostile.victim import TARGETS, Victim, clean_environment, run
from sizes import FULL

EVIL = "".join(SIGNS) + "[link=http://evil]x[/link][/foo]"
COMMANDS = (
    "",
    "list",
    "list churn",
    "list churn --metric roc_auc",
    "tree",
    "tree churn",
    "watch --once",
    "watch churn --once --since 2000-01-01",
    "show churn@1.2.0",
    "show churn@1.2.0 --provenance slsa",
    "export churn@1.2.0 --to cyclonedx",
    "export churn@1.2.0 --to croissant",
    "card churn@1.2.0",
    "card churn@1.2.0 --draft",
    "history churn",
    "approvals churn@1.1.0",
    "check churn 1.2.0 --to prod",
    "check churn 1.2.0 --to prod --markdown",
    "diff churn@1.1.0 churn@1.2.0",
    "drift churn@1.1.0 churn@1.2.0",
    "verify",
    "policy show",
    "policy check evil.yaml",
    "data list",
    "data show churn",
    "resolve churn@1.0.0",
    "rollback churn@prod --dry-run --reason x",
    "promote churn 1.0.0 --to prod --dry-run",
    "yank churn@1.2.0 --dry-run --reason {evil}",
    "lock churn@1.0.0 churn@1.2.0",
    "outdated",
    "sync",
    "lock {evil}",
    "outdated --file {evil}",
    "sync --file evil.yaml",
    "resolve {evil}",
    "show churn@{evil}",
    "list -r {evil}",
    "{evil}",
    "list --{evil}",
    "policy check {evil}",
    "train --config evil.yaml --dry-run",
    "train --set {evil} --dry-run",
    "-v train --config evil.yaml --dry-run",
)


@pytest.fixture
def poisoned(root: Path) -> Path:
    """A registry in which every text that anybody can choose holds every sign that nobody may be shown."""
    victim, name = Victim(root), "".join(SIGNS[2:40]).replace("/", "")
    for path in sorted(root.rglob("*.json")):
        document = json.loads(path.read_bytes())
        told = {key: EVIL for key in ("why", "who", "published_by", "created_by", "source") if key in document}
        if path.name != "run.json" and "staging" not in path.parts and "prod" not in path.parts and told:
            path.write_bytes(_sealed({**document, **told}))
    victim.rewrite("metrics.json", json.dumps({EVIL: 0.5, "roc_auc": 0.9}).encode(), published_by=EVIL)
    snapshot = victim.path("snapshot")
    TARGETS["snapshot"].around(root, snapshot, snapshot.read_bytes())
    (root / "demo/churn/1.1.0" / name).touch()
    Path("evil.yaml").write_text('aliases: {"\\e[31m\\u202e\\u200b": {}}\n"\\x9b\\uFEFF": 1\n')
    frozen = run("freeze", "churn@staging", "--until", "2099-01-01T00:00Z", "--reason", EVIL, "--actor", EVIL)
    assert frozen.code == 0
    return root


def _sealed(document: dict[str, Any]) -> bytes:
    for seal in ("event_digest", "policy_digest", "verification_digest", "record_digest"):
        if seal in document:
            body = {key: value for key, value in document.items() if key != seal}
            document[seal] = canonical.digest(canonical.dumps(body))
    return canonical.dumps(document)


def words_of(command: str) -> list[str]:
    return [word.replace("{evil}", EVIL) for word in command.split()]


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
def test_no_sign_that_nobody_sees_reaches_a_pipe(poisoned: Path, flags: list[str]) -> None:
    shown, wrong = "", list[str]()
    for command in COMMANDS:
        ran = run(*words_of(command), *flags)
        shown += ran.out + ran.err
        wrong += [f"{command}: {sign!r}" for sign in invisible(ran.out + ran.err)]
        wrong += [f"{command}: exit code 1: {ran.err}"] if ran.code == 1 else []
    assert wrong == []
    assert "\\x1b" in shown or "\\u001b" in shown  # else nothing was tried


class Screen(io.StringIO):
    """What takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def test_nor_a_terminal(poisoned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    wrong, shown = list[str](), ""
    for command in COMMANDS:
        screens = Screen(), Screen()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screens[0])
            patch.setattr(sys, "stderr", screens[1])
            code = main(words_of(command))
        text = "".join(screen.getvalue() for screen in screens)
        shown += text
        wrong += [f"{command}: {sign!r}" for sign in invisible(text)]
        wrong += [f"{command}: exit code 1: {text}"] if code == 1 else []
    assert wrong == []
    assert "\x1b[" in shown  # it was taken for one
    assert "\\x1b" in shown


def test_nor_a_real_terminal_of_a_real_process(poisoned: Path) -> None:
    for command in ("history churn", "list -r {evil}"):
        words = [
            word.replace("\0", "").encode("utf-8", "surrogateescape" if word.isascii() else "replace")
            for word in words_of(command)
        ]
        ours, theirs = pty.openpty()
        done = subprocess.Popen(
            [sys.executable.encode(), b"-m", b"artreg", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**clean_environment(), "TERM": "xterm-256color", "ARTREG_ACTOR": "ada"},
        )
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # that is how a terminal ends
                break
            if not piece:
                break
            said += piece
        os.close(ours)
        assert done.wait() != 1
        assert invisible(said.decode()) == []
        assert b"\\x" in said


def test_what_is_shown_of_a_long_text_is_bounded(root: Path) -> None:
    reason = "x" * 2_000_000
    assert run("freeze", "churn@staging", "--until", "2099-01-01T00:00Z", "--reason", reason).code == 0
    assert len(run("history", "churn").out) < 50_000
    assert len(run("promote", "churn", "1.2.0", "--to", "staging", "--dry-run").err) < 3 * LONGEST
    assert reason in run("history", "churn", "--json").out


def test_every_sign_of_unicode_is_shown_or_escaped() -> None:
    whole = (range(0x110000),) if FULL else (range(0x3200), range(0xD7F0, 0x10000), range(0xE0000, 0xE0200))
    every = "".join(chr(number) for part in whole for number in part)
    for start in range(0, len(every), 4096):
        text = printable(every[start : start + 4096])
        assert is_visible(text)
        assert invisible(text) == []
    assert printable("Straße → ✅ 模型 é") == "Straße → ✅ 模型 é"


URLS = {
    "https://user:secret@host/x": "https://***@host/x",
    "s3://AKIA:secret@bucket/x and http://u@h": "s3://***@bucket/x and http://***@h",
    "http://[u:secret@h": "http://***@h",
    "abfss://container@account.dfs/x": "abfss://container@account.dfs/x",
    "churn@prod in s3://bucket/a@b": "churn@prod in s3://bucket/a@b",
    "models:/churn@prod": "models:/churn@prod",
}


@pytest.mark.parametrize("text", URLS)
def test_no_error_repeats_the_password_of_a_url(text: str) -> None:
    assert without_credentials(text) == URLS[text]


def test_no_error_repeats_a_secret(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is at the other end, and however wrong the address is: neither URL nor environment is told."""
    secret = "hunter2secret"
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setattr("artreg.cli.session.StorageOptions", partial(StorageOptions, attempts=1))
    said = ""
    for endpoint in (
        f"http://u:{secret}@127.0.0.1:1",
        f"https://u:{secret}@[::1",
        f"nothing://u:{secret}@x",
        f"u:{secret}@x",
    ):
        monkeypatch.setenv("ARTREG_ENDPOINT_URL", endpoint)
        for words in (
            "list -r s3://bucket/x",
            "doctor -r s3://bucket/x --json",
            "-v resolve churn@prod -r s3://bucket/x",
        ):
            ran = run(*words.split())
            assert ran.code in {2, 8}, ran
            said += ran.out + ran.err
    for words in (
        f"list -r s3://u:{secret}@b/x",
        f"data snapshot https://u:{secret}@h/x --name x",
        f"-v list -r http://u:{secret}@h",
    ):
        ran = run(*words.split())
        assert ran.code == 2, ran
        said += ran.out + ran.err
    assert secret not in said


def _linked(text: str) -> list[str]:
    """What of a cell's Markdown is anything but text: what cmark would see once escapes are taken out."""
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", text.replace("@<!-- -->", ""))
    return re.findall(r"[`\[\]<>|*]|https?:|www\.|@|(?<![a-z0-9])_|_(?![a-z0-9])", bare)


def test_a_pull_request_is_shown_text_and_nothing_else() -> None:
    dice = random.Random("markdown")
    pieces = (
        *TEXTS,
        "|",
        "\\|",
        "\\",
        "`",
        "``",
        "![x](http://e)",
        "<script>",
        "@octocat",
        "www.evil.com",
        "a\nb",
        "**b**",
        "__b__",
        "&lt;",
    )
    for _ in range(2_000):
        message = "".join(dice.choices(pieces, k=dice.randrange(1, 5)))[:600]
        made = markdown(
            [{"gate": message[:40], "passed": False, "message": message, "figures": {"off_by": 1.5}}], message[:50]
        )
        assert invisible(made) == []
        title, blank, *_, row = made.removesuffix("\n").split("\n")
        assert blank == ""
        cells = re.split(r"(?<!\\)(?:\\\\)*\|", row)
        assert len(cells) == 6, row
        for text in (title.removeprefix("### ").removesuffix(": refused"), cells[2], cells[3]):
            assert _linked(text) == [], text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_offered_no_word_that_it_would_run(shell: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of a policy's aliases and of files are the only ones that are not made of a few harmless signs anyway."""
    evil = ["$(touch x)", "`id`", "a b", "'", '"', "\x1b[31m", "a;b", "-x", "a\nb", "a\tb", ":files"]
    monkeypatch.setitem(OFFERS, "references", lambda *_: iter([*evil, "fine"]))  # type: ignore[index]
    monkeypatch.setenv("_ARTREG_COMPLETE", shell)
    monkeypatch.setattr("artreg.cli.completion._PATIENCE", 60.0)  # a machine may be busy
    said = run(*([" ", "artreg resolve "] if shell == "bash" else ["resolve", ""])).out
    assert said == "fine\n"
