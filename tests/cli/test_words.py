"""What is understood without Typer means what Typer takes it to mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.main import get_command

from artreg.cli import app
from artreg.cli.declare import COMMON, COMMON_FLAGS, Option, parameters_of
from artreg.cli.table import COMMANDS, Entry, Group
from artreg.cli.words import Call, understand
from sizes import size

ENTRIES = {(name,): entry for name, entry in COMMANDS.items() if isinstance(entry, Entry)} | {
    (name, inner): entry
    for name, group in COMMANDS.items()
    if isinstance(group, Group)
    for inner, entry in group.entries.items()
}
NAMED = {
    name: [it.marker for it in parameters_of(entry.load()) if isinstance(it.marker, Option)]
    for name, entry in ENTRIES.items()
}
VALUES = [
    "churn",
    "1.2.1",
    "churn@prod",
    "prod",
    "0",
    "3",
    "-1",
    "x=y",
    "",
    "-",
    "--",
    "--help",
    "slsa",
    "patch",
]


class Typer:
    """The application of Typer, which is told to keep what it is called with."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.command = get_command(app.make_app())

    def understand(self, words: list[str]) -> Call | None:
        self.calls.clear()
        try:
            self.command.main(args=words, prog_name="artreg", standalone_mode=False)
        except Exception:
            return None
        return self.calls[0] if self.calls else None


@pytest.fixture(scope="module")
def typer() -> Iterator[Typer]:
    with pytest.MonkeyPatch.context() as patch:
        made = Typer()

        def keep(function: Callable[..., None], common: dict[str, Any], arguments: dict[str, Any]) -> None:
            made.calls.append(Call(function, arguments, dict(common)))

        patch.setattr(app, "_call", keep)
        yield made


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    name = draw(st.sampled_from(sorted(NAMED)))
    options = [text for option in (*NAMED[name], *COMMON.values(), *COMMON_FLAGS.values()) for text in option.names]
    word = st.sampled_from([*VALUES, *options, *(f"{option}=v" for option in options), "--nope", "-qv"])
    before = draw(st.lists(st.sampled_from(["--json", "-q", "--registry", "-r=x", "--project=p"]), max_size=2))
    if draw(st.integers(0, 9)) == 0:
        return [*before, *draw(st.lists(word, max_size=2))]
    positional = draw(st.lists(st.sampled_from(VALUES[:4]), max_size=3))
    return [*before, *name, *positional, *draw(st.lists(word, max_size=5))]


@settings(max_examples=size(100, 300, 300))
@given(lines())
def test_what_is_understood_is_what_typer_understands(typer: Typer, words: list[str]) -> None:
    understood = understand(words)
    if understood is not None:
        assert typer.understand(words) == understood


@pytest.mark.parametrize(
    "line",
    [
        "resolve churn@prod",
        "resolve churn@prod --json -r s3://bucket/prefix",
        "--registry=r resolve churn@prod -q",
        "promote churn 1.2.1 --to staging",
        "promote churn 1.2.1 --to=staging --reason why --dry-run --expect 1.0.0",
        "rollback prod --model churn -v",
        "history churn -n 0 --verify",
        "train -c configs/default.yaml --set a=1 --set b=2 --bump minor",
        "data list churn --project demo",
        "policy show --actor ada",
        "verify",
        "",
        "--json -r x",
    ],
)
def test_what_people_type_is_understood(line: str, typer: Typer) -> None:
    understood = understand(line.split())
    assert understood is not None
    assert typer.understand(line.split()) == understood


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "resolve",
        "resolve --help",
        "resolve a b",
        "resolve churn@prod --nope",
        "rslv churn@prod",
        "history churn -n -1",
        "history churn -n many",
        "history churn -n5",
        "list -qv",
        "data",
        "promote churn 1.2.1 --to",
        "list --json=yes",
        "export churn@prod --to nothing",
    ],
)
def test_whatever_else_is_left_to_typer(line: str) -> None:
    assert understand(line.split()) is None
