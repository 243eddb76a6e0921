"""The OpenSSF format: what artreg signs the other tool verifies, and what that tool signs artreg does."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_signing import signing, verifying

from artreg.core import keys as places
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.bundle import bundle_problem
from artreg.core.manifest import Manifest
from artreg.core.names import Reference
from artreg.core.signature import SignatureKind
from artreg.core.version import Version
from artreg.errors import InvalidInput
from artreg.registry import model_signing
from artreg.registry.model_signing import ec_keys
from artreg.registry.pull import pull
from artreg.registry.signatures import attach_bundle, sign_version, sign_version_bundle, signers
from artreg.registry.signing import read_public_key
from artreg.registry.verify import verify
from artreg.registry.versions import read_manifest
from artreg.store.factory import open_store
from artreg.store.memory import MemoryStore
from keys import make_key, needs_openssh, public
from registry.bench import CHURN, Bench

V1, V2 = Version(1, 0, 0), Version(1, 1, 0)

pytestmark = needs_openssh


def pem_pair(folder: Path, bits: int = 256) -> tuple[Path, Path]:
    """An elliptic curve key as model-signing takes it: the private and the public half, in PEM."""
    private, half = folder / "key.pem", folder / "key.pub.pem"
    make_pem = ["ssh-keygen", "-q", "-t", "ecdsa", "-b", str(bits), "-m", "PEM", "-N", "", "-f", str(private)]
    subprocess.run(make_pem, check=True)
    said = subprocess.check_output(["ssh-keygen", "-e", "-m", "PKCS8", "-f", f"{private}.pub"])
    half.write_bytes(said)
    return private, half


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return pem_pair(tmp_path_factory.mktemp("pem"))


@pytest.fixture
def bench(memory_store: MemoryStore, tmp_path: Path) -> Bench:
    (tmp_path / "made").mkdir()
    return Bench(memory_store, tmp_path / "made")


def they_sign(folder: Path, signature: Path, key: Path) -> None:
    """Sign as the other tool's command line does."""
    signing.Config().use_elliptic_key_signer(private_key=key).sign(folder, signature)


def they_verify(folder: Path, signature: Path, half: Path) -> None:
    """Verify as the other tool's command line does; raises where it fails."""
    verifying.Config().use_elliptic_key_verifier(public_key=half).verify(folder, signature)


def known(half: Path, name: str = "alice") -> AllowedSigners:
    return AllowedSigners((f"{name} {read_public_key(half)}",))


def pulled(bench: Bench, folder: Path, version: Version = V1) -> Path:
    pull(bench.registry, Reference(CHURN, version), open_store(folder), "pulled")
    return folder / "pulled"


def test_each_tool_verifies_what_the_other_signed(bench: Bench, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    private, half = pair
    digest = bench.publish("1.0.0").digest
    folder = pulled(bench, tmp_path)
    made = sign_version_bundle(bench.registry, CHURN, V1, private)
    assert made.changed
    assert made.signature is not None
    ours, theirs = tmp_path / "ours.sigstore.json", tmp_path / "theirs.sig"
    ours.write_bytes(made.signature.data)
    command = [sys.executable, "-m", "model_signing", "verify", "key", str(folder), "--signature", str(ours)]
    assert subprocess.check_output([*command, "--public_key", str(half)], text=True) == "Verification succeeded\n"
    (folder / "model.bin").chmod(0o644)
    (folder / "model.bin").write_text("another")
    with pytest.raises(ValueError, match=r"Hash mismatch for 'model\.bin'"):
        they_verify(folder, ours, half)
    shutil.rmtree(folder)
    they_sign(pulled(bench, tmp_path), theirs, private)
    assert attach_bundle(bench.registry, CHURN, V1, theirs.read_bytes()).changed
    assert not attach_bundle(bench.registry, CHURN, V1, theirs.read_bytes()).changed
    [signer] = signers(bench.registry, CHURN, V1, digest, known(half))
    assert (signer.who, signer.kind, signer.time) == ("alice", SignatureKind.MODEL_SIGNING, "")
    assert verify(bench.registry, signed_by=SignedBy(known(half), ("alice",))).ok


def test_what_the_other_tool_signed_is_enough_and_bound_to_the_bytes(
    bench: Bench, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    private, half = pair
    digest = bench.publish("1.0.0").digest
    bench.publish("1.1.0")
    theirs = tmp_path / "theirs.sig"
    folder = pulled(bench, tmp_path)
    they_sign(folder, theirs, private)
    with pytest.raises(InvalidInput, match=r"it speaks of other files: checksum\.txt, model\.bin"):
        attach_bundle(bench.registry, CHURN, V2, theirs.read_bytes())
    assert attach_bundle(bench.registry, CHURN, V1, theirs.read_bytes(), dry_run=True).changed
    assert signers(bench.registry, CHURN, V1, digest, known(half)) == ()
    attach_bundle(bench.registry, CHURN, V1, theirs.read_bytes())
    assert [signer.who for signer in signers(bench.registry, CHURN, V1, digest, known(half))] == ["alice"]
    assert signers(bench.registry, CHURN, V1, "another digest", known(half)) == ()
    (tmp_path / "other").mkdir()
    assert signers(bench.registry, CHURN, V1, digest, known(pem_pair(tmp_path / "other")[1])) == ()
    (folder / "checksum.txt").unlink()
    they_sign(folder, theirs, private)
    with pytest.raises(InvalidInput, match=r"does not list checksum\.txt"):
        attach_bundle(bench.registry, CHURN, V1, theirs.read_bytes())


@pytest.mark.parametrize("bits", [384, 521])
def test_larger_curves(bench: Bench, tmp_path: Path, bits: int) -> None:
    private, half = pem_pair(tmp_path, bits)
    digest = bench.publish("1.0.0").digest
    assert sign_version_bundle(bench.registry, CHURN, V1, private, dry_run=True).signature is None
    assert sign_version_bundle(bench.registry, CHURN, V1, private).changed
    assert not sign_version_bundle(bench.registry, CHURN, V1, private).changed
    assert len(signers(bench.registry, CHURN, V1, digest, known(half))) == 1


def test_one_key_signs_in_both_formats(bench: Bench, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    private, half = pair
    digest = bench.publish("1.0.0").digest
    sign_version(bench.registry, CHURN, V1, private, who="alice")
    assert sign_version_bundle(bench.registry, CHURN, V1, private).changed
    [one] = signers(bench.registry, CHURN, V1, digest, known(half))  # the same person, with the same key
    assert one.key.startswith("SHA256:")
    assert {key.rpartition("/")[2].partition(".")[2] for key in listed(bench)} == {"json", "json.sig", "sigstore.json"}


def listed(bench: Bench) -> list[str]:
    return [entry.name for entry in bench.store.walk(places.signatures_prefix(CHURN, V1))]


def bundle(bench: Bench, key: Path) -> bytes:
    return model_signing.sign_bundle(read_manifest(bench.registry, CHURN, V1), "m", key)


def test_a_bundle_that_only_claims_to_be_by_a_key_counts_for_nothing(
    bench: Bench, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    private, half = pair
    eve, eves_half = pem_pair(tmp_path)
    digest = bench.publish("1.0.0").digest
    forged = json.loads(bundle(bench, eve))
    forged["verificationMaterial"] = json.loads(bundle(bench, private))["verificationMaterial"]
    attach_bundle(bench.registry, CHURN, V1, json.dumps(forged).encode())
    assert signers(bench.registry, CHURN, V1, digest, known(half)) == ()
    assert sign_version_bundle(bench.registry, CHURN, V1, private).changed  # nor does it pass for one's own
    assert len(signers(bench.registry, CHURN, V1, digest, known(half))) == 1
    assert read_public_key(eves_half) == public(eve).rpartition(" ")[0]


def test_no_altered_bundle_counts(bench: Bench, pair: tuple[Path, Path]) -> None:
    private, half = pair
    bench.publish("1.0.0")
    manifest = read_manifest(bench.registry, CHURN, V1)
    data = bundle(bench, private)
    assert list(model_signing.bundle_signers(data, manifest, known(half)))
    for position in range(0, len(data), 97):
        altered = data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :]
        if list(model_signing.bundle_signers(altered, manifest, known(half))):
            assert unsigned_part(altered) != unsigned_part(data)


def unsigned_part(data: bytes) -> Any:
    """What a bundle holds besides what is signed; that its name is the sha256 of its bytes shows changes there."""
    document = json.loads(data)
    statement = base64.b64decode(document.pop("dsseEnvelope")["payload"])
    assert b"checksum.txt" in statement
    return document


def test_without_the_package_the_error_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    private, half = pair
    digest = bench.publish("1.0.0").digest
    sign_version_bundle(bench.registry, CHURN, V1, private)
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(InvalidInput, match="model-signing cannot be loaded") as raised:
        signers(bench.registry, CHURN, V1, digest, known(half))
    assert raised.value.hint == "pip install 'artreg[model-signing]'"
    with pytest.raises(InvalidInput, match="model-signing cannot be loaded"):
        sign_version_bundle(bench.registry, CHURN, V1, private)
    other = AllowedSigners((f"bob {public(make_key(tmp_path, 'bob', 'ecdsa'))}",))
    assert signers(bench.registry, CHURN, V1, digest, other) == ()  # nothing of it is by a key that counts


def test_a_key_that_cannot_sign(bench: Bench, tmp_path: Path) -> None:
    bench.publish("1.0.0")
    (tmp_path / "nonsense").write_text("nonsense")
    for key in (tmp_path / "nowhere", tmp_path / "nonsense"):
        with pytest.raises(InvalidInput, match="cannot sign with"):
            sign_version_bundle(bench.registry, CHURN, V1, key)


KEY = "ecdsa-sha2-nistp256 AAAA"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (f"alice {KEY}", ["alice"]),
        (f'"alice" namespaces="artreg" {KEY} a comment', ["alice"]),
        (f'alice,bob namespaces="git,art*" {KEY}', ["alice,bob"]),
        (f'alice namespaces="git" {KEY}', []),
        (f'alice valid-before="20200101" {KEY}', []),
        (f"alice cert-authority {KEY}", []),
        ("alice ssh-ed25519 AAAA", []),
        (f"alice {KEY}\nbob {KEY}", []),
    ],
)
def test_the_lines_that_name_a_key_for_bundles(line: str, names: list[str]) -> None:
    assert [name for name, _ in ec_keys([line])] == names


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["dsseEnvelope", "payload", "predicate", "resources", "name"]), inner)
    ),
    max_leaves=10,
)


@given(values)
@settings(derandomize=True, deadline=None, database=None, max_examples=50)
def test_whatever_claims_to_be_a_bundle_is_refused(value: object) -> None:
    manifest = Manifest.of({"model.bin": "0" * 64})
    payload = base64.b64encode(json.dumps(value).encode()).decode()
    for document in (value, {"dsseEnvelope": value}, {"dsseEnvelope": {"payload": payload}}):
        assert bundle_problem(json.dumps(document).encode(), manifest)
