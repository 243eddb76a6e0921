"""The page about hooks is typed, and what receivers check with other tools is checked with them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import peers
from artreg.core.version import Version
from artreg.hooks.signature import read_secrets, signed_headers
from artreg.registry.handle import Registry
from artreg.registry.publish import publish
from artreg.store.local import LocalStore
from docs.sessions import environment, read
from hooks.bench import SECRETS, VARIABLE
from registry.bench import CHURN


@pytest.mark.slow  # it is typed, a process for each command
def test_the_page(tmp_path: Path) -> None:
    for name in ("registry", "configs", "made"):
        (tmp_path / name).mkdir()
    (tmp_path / "configs" / "policy.yaml").write_text("aliases: {staging: {}, prod: {}}\n")
    registry = Registry(LocalStore(tmp_path / "registry"))
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / "made" / "model.txt").write_text(version)
        publish(registry, CHURN, tmp_path / "made", Version.parse(version))
    variables = environment(XDG_STATE_HOME=str(tmp_path / "state"))
    try:
        assert read("docs/hooks.md", tmp_path, variables) >= 10
    finally:
        if "RECEIVER" in variables:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(variables["RECEIVER"]), signal.SIGKILL)


CHECK = """
import sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret, identity, when, signature, body = sys.argv[1:]
headers = {"webhook-id": identity, "webhook-timestamp": when, "webhook-signature": signature}
print(Webhook(secret).verify(body, headers)["specversion"])
try:
    Webhook(secret).verify(body.replace("1.0", "1.1"), headers)
except WebhookVerificationError:
    print("changed")
"""


@pytest.mark.peers
def test_the_library_of_standard_webhooks_knows_the_signature(tmp_path: Path) -> None:
    python = peers.environment(tmp_path, peers.STANDARD_WEBHOOKS) / "python"
    body = b'{"specversion":"1.0"}'
    headers = signed_headers(read_secrets(VARIABLE, SECRETS), "0123abcd", int(time.time()), body)
    words = [str(python), "-c", CHECK, SECRETS[VARIABLE], *headers.values(), body.decode()]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.split() == ["1.0", "changed"]
