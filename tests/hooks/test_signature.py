"""Webhooks are signed as Standard Webhooks say; what checks it here is OpenSSL."""

from __future__ import annotations

import base64
import subprocess

import pytest

from artreg.errors import InvalidInput
from artreg.hooks.signature import read_secrets, signed_headers
from hooks.bench import SECRET, SECRETS, VARIABLE


def by_openssl(key: bytes, content: bytes) -> str:
    words = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"]
    return base64.b64encode(subprocess.run(words, input=content, capture_output=True, check=True).stdout).decode()


def test_it_is_the_signature_that_openssl_makes() -> None:
    headers = signed_headers(read_secrets(VARIABLE, SECRETS), "id", 1_700_000_000, b'{"a":1}')
    assert headers == {
        "webhook-id": "id",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1," + by_openssl(SECRET, b'id.1700000000.{"a":1}'),
    }


def test_while_a_secret_is_replaced_both_sign() -> None:
    other = b"another one " * 3
    both = {VARIABLE: f"{SECRETS[VARIABLE]} whsec_{base64.b64encode(other).decode()}"}
    signatures = signed_headers(read_secrets(VARIABLE, both), "id", 7, b"{}")["webhook-signature"].split(" ")
    assert signatures == [f"v1,{by_openssl(key, b'id.7.{}')}" for key in (SECRET, other)]


@pytest.mark.parametrize(
    "value", ["", "   ", "hunter2", "whsec_hunter2", "whsec_" + "A" * 28, "whsec_" + "A" * 200, "Whsec_" + "A" * 44]
)
def test_what_is_no_secret_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_secrets(VARIABLE, {VARIABLE: value})
    told = caught.value.message + caught.value.hint
    assert VARIABLE in told
    assert not value.strip() or value.strip() not in told
    assert "openssl rand" in caught.value.hint
