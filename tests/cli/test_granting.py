"""`artreg access`: the policies that it prints; and how long a command waits for a bucket."""

from __future__ import annotations

import pytest

from artreg.cli.session import open_session
from cli.conftest import Shell
from store.s3_fake import BUCKET, FakeS3

ROOT = "s3://models/reg"


def places(document: dict, action: str) -> list[str]:
    return [it for one in document["Statement"] if action in one["Action"] for it in one["Resource"]]


def test_policy_names_bucket_prefix_model_and_aliases(shell: Shell) -> None:
    policy = shell.run("access", "promoter", "churn", "--alias", "prod", "-r", ROOT).json
    assert places(policy, "s3:PutObject") == [
        "arn:aws:s3:::models/reg/demo/churn/history/prod/*.json",
        "arn:aws:s3:::models/reg/demo/churn/prod",
        "arn:aws:s3:::models/reg/demo/churn/history/*.*.*/*",
        "arn:aws:s3:::models/reg/.artreg/hooks/*/demo/churn/prod/*",
    ]
    assert all("Principal" not in one for one in policy["Statement"])


def test_aliases_are_those_of_the_policy_file_unless_named(shell: Shell) -> None:
    (shell.folder / "p.yaml").write_text("aliases: {canary: {}}\n")
    policy = shell.run("access", "promoter", "-r", ROOT, "--policy", "p.yaml").json
    assert "arn:aws:s3:::models/reg/*/*/canary" in places(policy, "s3:PutObject")


def test_policy_of_a_bucket_names_whom_it_is_for(shell: Shell) -> None:
    policy = shell.run("access", "consumer", "fraud/", "--principal", "arn:a", "--principal", "arn:b", "-r", ROOT).json
    assert [one["Principal"] for one in policy["Statement"]] == [{"AWS": ["arn:a", "arn:b"]}] * 2
    assert places(policy, "s3:GetObject")[0] == "arn:aws:s3:::models/reg/fraud/*/*"


def test_what_nobody_may_do_differs_by_service(shell: Shell) -> None:
    names = {}
    for service in ("aws", "ceph", "minio"):
        policy = shell.run("access", "append-only", "--for", service, "-r", ROOT, "--json").json
        names[service] = [one["Sid"] for one in policy["Statement"]]
        assert all(("Principal" in one) is (service != "minio") for one in policy["Statement"])
    removal = ["NobodyRemovesHistory", "OnlyCollectorsRemove"]
    assert names == {"aws": [*removal, "NobodyOverwrites"], "ceph": removal, "minio": removal}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("consumer", "--registry s3://"),
        ("consumer -r gs://models/reg", "--registry s3://"),
        ("consumer -r s3://models/a*b", "prefix"),
        ("append-only churn -r s3://models/reg", "leave out"),
        ("promoter --alias history -r s3://models/reg", ""),
        ("consumer Bad* -r s3://models/reg", ""),
    ],
)
def test_what_makes_no_policy_is_refused(shell: Shell, words: str, hint: str) -> None:
    ran = shell.run("access", *words.split(), "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "invalid_input")
    assert hint in ran.json["error"]["hint"]


def test_silent_bucket_ends_a_command_in_the_time_that_was_set(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("ARTREG_STORAGE_TIMEOUT", "1s")
    monkeypatch.setenv("ARTREG_STORAGE_BUDGET", "1s")
    with FakeS3() as fake:
        fake.breaking = lambda number, method, path: lambda exchange: exchange.be_silent()
        monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
        ran = shell.run("resolve", "churn@prod", "-r", f"s3://{BUCKET}/r", "--json")
        assert fake.broken == 1
    assert (ran.code, ran.json["error"]["code"]) == (8, "storage")
    assert "AWS_ENDPOINT_URL" in ran.json["error"]["hint"]


def test_times_are_read_from_the_settings_file(shell: Shell) -> None:
    (shell.folder / "configs").mkdir()
    (shell.folder / "configs/artreg.yaml").write_text(f"registry: {ROOT}\nstorage_timeout: 3s\nstorage_budget: 2m\n")
    options = open_session({}).registry.store._bucket._options
    assert (options.connect_timeout, options.read_timeout, options.budget) == (3.0, 3.0, 120.0)


@pytest.mark.parametrize("text", ["0s", "soon", "3"])
def test_time_that_is_none_is_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ARTREG_STORAGE_TIMEOUT", text)
    ran = shell.run("list", "-r", ROOT)
    assert ran.code == 2
    assert "storage_timeout" in ran.err
