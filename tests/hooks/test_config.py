"""The hooks file: what it may say, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from artreg.core.names import Alias, ModelName
from artreg.core.record import Action
from artreg.errors import InvalidInput
from artreg.hooks.config import read_hooks

WEBHOOK = "{url: 'https://ops.example.org/hooks/t0ken', secret: DEPLOY_SECRET, since: '2026-03-01T12:00:00Z'}"


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "hooks.yaml"
    path.write_text(text)
    return str(path)


def refused(tmp_path: Path, text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_hooks(written(tmp_path, text), "demo")
    return caught.value


def test_a_webhook_and_a_command(tmp_path: Path) -> None:
    text = f"""
source: https://models.example.org
hooks:
  deploy: {WEBHOOK}
  notify:
    command: [python, tools/notify.py]
    models: [churn, other/iris]
    aliases: [prod]
    actions: [promote, freeze]
    since: 2026-03-01T12:00:00+01:00
    timeout: 30s
    retry_for: 10m
"""
    hooks = read_hooks(written(tmp_path, text), "demo")
    deploy, notify = hooks.named(None)
    assert hooks.source == "https://models.example.org"
    assert (deploy.name, deploy.secret, deploy.timeout, deploy.retry_for) == ("deploy", "DEPLOY_SECRET", 15, 300)
    assert deploy.actions == {Action.PROMOTE, Action.ROLLBACK}
    assert deploy.since == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert deploy.asks_for(ModelName("any", "thing"), Alias("staging"))
    assert notify.command == ("python", "tools/notify.py")
    assert notify.since == deploy.since - timedelta(hours=1)
    assert notify.asks_for(ModelName("demo", "churn"), Alias("prod"))
    assert not notify.asks_for(ModelName("demo", "iris"), Alias("prod"))
    assert not notify.asks_for(ModelName("demo", "churn"), Alias("staging"))


def test_who_sees_where_a_webhook_goes_sees_no_more_than_the_server(tmp_path: Path) -> None:
    (hook,) = read_hooks(written(tmp_path, f"hooks: {{deploy: {WEBHOOK}}}"), "demo").named("deploy")
    assert hook.target == "https://ops.example.org/…"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("secret: S, since: 2026-03-01", "a hook has a url or a command"),
        ("url: 'http://h/', command: [x], secret: S, since: 2026-03-01", "a hook has a url or a command"),
        ("url: 'http://h/', since: 2026-03-01", "a webhook is signed"),
        ("command: [x], secret: S, since: 2026-03-01", "needs no secret"),
        ("command: [x]", "hooks.deploy.since: missing"),
        ("command: [], since: 2026-03-01", "hooks.deploy.command"),
        ("command: x --y, since: 2026-03-01", "hooks.deploy.command"),
        ("command: [''], since: 2026-03-01", "hooks.deploy.command.0"),
        ("command: [x], since: yesterday", "write a time"),
        ("command: [x], since: 2026-03-01, timeout: 0s", "no time at all"),
        ("command: [x], since: 2026-03-01, timeout: soon", "not an age"),
        ("command: [x], since: 2026-03-01, actions: [fence]", "there is no such action"),
        ("command: [x], since: 2026-03-01, actions: []", "hooks.deploy.actions"),
        ("command: [x], since: 2026-03-01, aliases: [Prod]", "not an alias"),
        ("command: [x], since: 2026-03-01, models: ['../x']", "not a"),
        ("command: [x], since: 2026-03-01, retries: 3", "retries: unknown key"),
        ("url: 'ftp://h/', secret: S, since: 2026-03-01", "http:// or https:// URL"),
        ("url: 'file:///etc/passwd', secret: S, since: 2026-03-01", "http:// or https:// URL"),
        ("url: 'http://u:p4ss@h/', secret: S, since: 2026-03-01", "without a user"),
        ("url: 'http://h:port/', secret: S, since: 2026-03-01", "hooks.deploy.url"),
        (r'url: "http://h/\r\nX: y", secret: S, since: 2026-03-01', "http:// or https:// URL"),
        ("url: 'http://h/', secret: whsec_c2VjcmV0, since: 2026-03-01", "never the secret itself"),
        ("command: whsec_c2VjcmV0, since: 2026-03-01", "must be a valid list"),
        ("url: 'http://h/', secret: 'my secret!', since: 2026-03-01", "never the secret itself"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, line: str, said: str) -> None:
    error = refused(tmp_path, f"hooks: {{deploy: {{{line}}}}}")
    assert said in error.message
    assert "p4ss" not in error.message
    assert "my secret!" not in error.message
    assert "c2VjcmV0" not in error.message
    assert "since: 20" in error.hint


def test_a_hook_that_is_no_mapping_is_not_repeated(tmp_path: Path) -> None:
    assert "T0KEN" not in refused(tmp_path, "hooks: {deploy: 'https://h/T0KEN'}").message


@pytest.mark.parametrize(
    "text", ["", "hooks: {}", "hooks: []", "hooks: {'../x': {command: [x], since: 2026-03-01}}", "webhooks: {}", "[]"]
)
def test_what_is_no_hooks_file_is_refused(tmp_path: Path, text: str) -> None:
    assert "hooks.yaml" in refused(tmp_path, text).message


def test_a_hook_that_there_is_not_is_refused_by_name(tmp_path: Path) -> None:
    hooks = read_hooks(written(tmp_path, f"hooks: {{deploy: {WEBHOOK}}}"), "demo")
    with pytest.raises(InvalidInput, match="no hook 'deplay'") as caught:
        hooks.named("deplay")
    assert "deploy" in caught.value.hint
