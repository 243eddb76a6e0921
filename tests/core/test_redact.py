from __future__ import annotations

import pytest

from artreg.core.redact import redact_command, redact_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:pw@example.org/x.git", "https://example.org/x.git"),
        ("https://ghp_abc@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://a@b:c@example.org/x", "https://example.org/x"),
        ("https://example.org/x.csv?sig=abc#frag", "https://example.org/x.csv"),
        ("s3://key:pw@bucket/k", "s3://bucket/k"),
        ("git@github.com:o/r.git", "github.com:o/r.git"),
        ("ghp_abc@github.com:o/r.git", "github.com:o/r.git"),
        ("abfss://container@account.dfs.core.windows.net/x", "abfss://container@account.dfs.core.windows.net/x"),
        ("abfss://c:pw@account/x", "abfss://account/x"),
        ("data/churn.csv", "data/churn.csv"),
        ("/a/b@c", "/a/b@c"),
        ("see https://u:p@h/a and https://v:q@h/b", "see https://h/a and https://h/b"),
    ],
)
def test_urls_lose_what_may_be_secret(text: str, expected: str) -> None:
    assert redact_url(text) == expected


def test_a_command_loses_what_may_be_secret() -> None:
    command = ["artreg", "train", "--set", "data.path=https://u:pw@h/x?sig=1", "--token", "t0k", "--api-key=k3y", "-q"]
    assert redact_command(command) == [
        "artreg", "train", "--set", "data.path=https://h/x", "--token", "***", "--api-key=***", "-q",
    ]  # fmt: skip


def test_a_plain_command_stays() -> None:
    command = ["artreg", "train", "--config", "configs/default.yaml", "--set", "model.max_iter=50", "churn@prod"]
    assert redact_command(command) == command
