"""Signatures of versions by SSH keys: whose count, for what, and what is left of an altered one."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artreg.core import keys as places
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.names import Reference
from artreg.core.signature import Signature, SignatureKind, Statement, parse_statement
from artreg.core.version import Version
from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.frozen import replace
from artreg.registry import signatures
from artreg.registry.history import records
from artreg.registry.signatures import attach, read_signatures, sign_version, signers
from artreg.registry.signed_moves import move_fault
from artreg.registry.signing import fingerprint, is_signature, public_key
from artreg.registry.verify import verify
from artreg.store.local import LocalStore
from artreg.store.memory import MemoryStore
from artreg.workers import Backend, Workers
from keys import make_key, needs_openssh, public
from registry.bench import CHURN, FREE, Bench
from store.places import MemoryPlace, MotoPlace, S3Place

V1, V2 = Version(1, 0, 0), Version(1, 1, 0)
ALICE, BOB = "alice@example.com", "bob@example.com"

pytestmark = needs_openssh


def allowed(**keys: Path) -> AllowedSigners:
    return AllowedSigners(tuple(f"{name}@example.com {public(key)}" for name, key in keys.items()))


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("alice"), "id")


@pytest.fixture(scope="module")
def bob(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("bob"), "id", "ecdsa")


@pytest.fixture
def bench(memory_store: MemoryStore, tmp_path: Path) -> Bench:
    (tmp_path / "made").mkdir()
    return Bench(memory_store, tmp_path / "made")


def test_a_signature_counts_for_its_version_its_bytes_and_its_key(bench: Bench, alice: Path, bob: Path) -> None:
    one, two = bench.publish("1.0.0"), bench.publish("1.1.0")
    made = sign_version(bench.registry, CHURN, V1, alice, who=ALICE)
    assert (made.changed, made.digest, made.who) == (True, one.digest, ALICE)
    [signer] = signers(bench.registry, CHURN, V1, one.digest, allowed(alice=alice))
    assert (signer.who, signer.kind) == (ALICE, SignatureKind.SSH)
    assert fingerprint(public(alice)) == signer.key
    assert signer.key in subprocess.check_output(["ssh-keygen", "-l", "-f", f"{alice}.pub"], text=True)
    for digest, known in (
        (two.digest, allowed(alice=alice)),
        (one.digest, allowed(alice=bob)),
        (one.digest, allowed(bob=alice)),
    ):
        assert signers(bench.registry, CHURN, V1, digest, known) == ()
    assert signers(bench.registry, CHURN, V2, one.digest, allowed(alice=alice)) == ()
    assert verify(bench.registry).ok


def test_several_sign_and_each_once(bench: Bench, alice: Path, bob: Path) -> None:
    digest = bench.publish("1.0.0").digest
    assert sign_version(bench.registry, CHURN, V1, alice, who=ALICE).changed
    again = sign_version(bench.registry, CHURN, V1, alice, who=ALICE)
    assert not again.changed
    assert again.signature is not None
    assert sign_version(bench.registry, CHURN, V1, bob, who=BOB).changed
    assert sign_version(bench.registry, CHURN, V1, alice, who=BOB).changed  # for bob, with a key that is not his
    found = signers(bench.registry, CHURN, V1, digest, allowed(alice=alice, bob=bob))
    assert [signer.who for signer in found] == [ALICE, BOB]
    assert len(read_signatures(bench.registry, CHURN, V1)[0]) == 3


def test_who_acts_signs_unless_told_otherwise(bench: Bench, alice: Path) -> None:
    digest = bench.publish("1.0.0").digest
    assert sign_version(bench.registry, CHURN, V1, alice, dry_run=True).changed
    assert read_signatures(bench.registry, CHURN, V1) == ((), ())
    sign_version(bench.registry, CHURN, V1, alice)
    [signer] = signers(bench.registry, CHURN, V1, digest, AllowedSigners((f"ada {public(alice)}",)))
    assert signer.who == "ada"
    for who in ("*", "a,b", 'a"b'):
        with pytest.raises(InvalidInput, match="cannot be the name"):
            sign_version(bench.registry, CHURN, V1, alice, who=who)
    with pytest.raises(NotFound):
        sign_version(bench.registry, CHURN, V2, alice)
    with pytest.raises(InvalidInput, match="cannot sign with"):
        sign_version(bench.registry, CHURN, V1, alice.with_name("nowhere"))


def test_ssh_keygen_alone_can_check_what_lies_there(local_store: LocalStore, tmp_path: Path, alice: Path) -> None:
    (tmp_path / "made").mkdir()
    bench = Bench(local_store, tmp_path / "made")
    digest = bench.publish("1.0.0").digest
    sign_version(bench.registry, CHURN, V1, alice, who=ALICE)
    folder = Path(local_store.url, places.signatures_prefix(CHURN, V1))
    [statement] = folder.glob("*[0-9a-f].json")
    (tmp_path / "signers").write_text(f"{ALICE} {public(alice)}\n")
    check = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", ALICE, "-n", "artreg"]
    done = subprocess.run(
        [*check, "-s", f"{statement}.sig"], input=statement.read_bytes(), capture_output=True, check=False
    )
    assert done.returncode == 0
    assert digest in statement.read_text()


def test_a_signature_for_another_purpose_does_not_count(bench: Bench, alice: Path) -> None:
    digest = bench.publish("1.0.0").digest
    data = Statement(CHURN, V1, digest, ALICE, "2026-03-01T12:00:00.000Z").encode()
    for namespace, count in (("git", 0), ("artreg", 1)):
        signed = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(alice)], input=data, capture_output=True, check=True
        )
        attach(bench.registry, CHURN, V1, Signature(SignatureKind.SSH, data, signed.stdout.decode()))
        assert len(signers(bench.registry, CHURN, V1, digest, allowed(alice=alice))) == count


def test_what_the_allowed_signers_file_says_is_heeded(bench: Bench, alice: Path) -> None:
    digest = bench.publish("1.0.0").digest
    sign_version(bench.registry, CHURN, V1, alice, who=ALICE)
    for line, count in (
        (f"*@example.com {public(alice)}", 1),
        (f"*@example.org {public(alice)}", 0),
        (f'{ALICE} namespaces="artreg" {public(alice)}', 1),
        (f'{ALICE} namespaces="git" {public(alice)}', 0),
        (f'{ALICE} valid-before="20200101" {public(alice)}', 0),
    ):
        assert len(signers(bench.registry, CHURN, V1, digest, AllowedSigners((line,)))) == count, line
    for text in ("", "# nobody\n\n"):
        with pytest.raises(InvalidInput, match="names no signers"):
            AllowedSigners.parse(text, "signers")


def test_verification_demands_a_signature_of_each_version(bench: Bench, alice: Path, bob: Path) -> None:
    bench.publish("1.0.0")
    bench.publish("1.1.0")
    bench.promote("1.0.0")
    sign_version(bench.registry, CHURN, V1, alice, who=ALICE)
    by_alice = SignedBy(allowed(alice=alice, bob=bob), (ALICE,))
    assert verify(bench.registry, Reference(CHURN, V1), signed_by=by_alice).ok
    assert verify(bench.registry, Reference.parse("churn@free", "demo"), signed_by=by_alice).ok
    report = verify(bench.registry, CHURN, signed_by=by_alice)
    assert [checked.ref for checked in report.checked if not checked.ok] == ["demo/churn@1.1.0"]
    sign_version(bench.registry, CHURN, V2, bob, who=BOB)
    report = verify(bench.registry, CHURN, signed_by=by_alice)
    [problem] = [problem for checked in report.checked for problem in checked.problems]
    assert problem.problem == f"no valid signature by {ALICE}; signed by {BOB}"
    for anybody in (replace(by_alice, names=()), replace(by_alice, names=(ALICE, BOB))):
        assert verify(bench.registry, CHURN, signed_by=anybody).ok


def test_others_may_do_the_work(bench: Bench, alice: Path) -> None:
    for version in ("1.0.0", "1.1.0"):
        bench.publish(version)
    sign_version(bench.registry, CHURN, V2, alice, who=ALICE)
    wanted = SignedBy(allowed(alice=alice), (ALICE,))
    assert pickle.loads(pickle.dumps(wanted)) == wanted  # as it travels to another process
    report = verify(bench.registry, signed_by=wanted, workers=Workers(Backend.THREADS, 2))
    assert [checked.ref for checked in report.checked if checked.unsigned] == ["demo/churn@1.0.0"]


def test_no_altered_byte_of_a_signature_goes_unseen(tmp_path: Path, alice: Path) -> None:
    place = MemoryPlace()
    (tmp_path / "made").mkdir()
    bench = Bench(place.store(), tmp_path / "made")
    digest = bench.publish("1.0.0").digest
    sign_version(bench.registry, CHURN, V1, alice, who=ALICE)
    found = sorted(filter(re.compile(places.SIGNATURES).search, place.keys()))
    assert len(found) == 2
    for key in found:
        data = place.get(key)
        for position in range(0, len(data), 3):
            place.put(key, data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :])
            assert read_signatures(bench.registry, CHURN, V1)[0] == ()
            assert not verify(bench.registry).ok
        assert signers(bench.registry, CHURN, V1, digest, allowed(alice=alice)) == ()
        place.put(key, data)
    place.put(found[0].replace(".json", ".txt"), b"?")
    assert not verify(bench.registry).ok
    assert (
        len(signers(bench.registry, CHURN, V1, digest, allowed(alice=alice))) == 1
    )  # what lies beside it harms nobody


def test_a_signature_moved_to_another_version_is_named(bench: Bench, alice: Path) -> None:
    digest = bench.publish("1.0.0").digest
    bench.publish("1.1.0")
    made = sign_version(bench.registry, CHURN, V1, alice, who=ALICE).signature
    assert made is not None
    attach(bench.registry, CHURN, V2, made)
    assert signers(bench.registry, CHURN, V2, digest, allowed(alice=alice)) == ()
    [problem] = [problem for checked in verify(bench.registry).checked for problem in checked.problems]
    assert "it belongs elsewhere: it speaks of demo/churn@1.0.0" in problem.problem


def test_a_signer_who_died_between_the_files_left_nothing(bench: Bench, alice: Path) -> None:
    digest = bench.publish("1.0.0").digest
    made = sign_version(bench.registry, CHURN, V1, alice, who=ALICE, dry_run=True)
    statement = Statement(CHURN, V1, made.digest, ALICE, "2026-03-01T12:00:00.000Z").encode()
    bench.store.create(f"{places.signatures_prefix(CHURN, V1)}/{'0' * 64}.json", statement)
    assert signers(bench.registry, CHURN, V1, digest, allowed(alice=alice)) == ()
    assert verify(bench.registry).ok
    assert sign_version(bench.registry, CHURN, V1, alice, who=ALICE).changed
    assert verify(bench.registry).ok


def test_more_signatures_than_anybody_needs_are_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "_MANY", 3)
    digest = bench.publish("1.0.0").digest
    for number in range(4):
        assert verify(bench.registry).ok
        data = Statement(CHURN, V1, digest, str(number), "").encode()
        attach(bench.registry, CHURN, V1, Signature(SignatureKind.SSH, data, "no signature"))
    found, problems = read_signatures(bench.registry, CHURN, V1)
    assert (len(found), [problem.problem for problem in problems]) == (3, ["there are more than 3"])
    assert not verify(bench.registry).ok


def test_signatures_in_a_bucket(moto_place: MotoPlace, tmp_path: Path, alice: Path) -> None:
    signed_in(moto_place, tmp_path, alice)


@pytest.mark.s3
def test_signatures_on_ceph(ceph_place: S3Place, tmp_path: Path, alice: Path) -> None:
    signed_in(ceph_place, tmp_path, alice)


def signed_in(place: S3Place, tmp_path: Path, alice: Path) -> None:
    (tmp_path / "made").mkdir()
    bench = Bench(place.store(), tmp_path / "made")
    bench.registry = replace(bench.registry, signing_key=str(alice))
    digest = bench.publish("1.0.0").digest
    bench.promote("1.0.0")
    assert sign_version(bench.registry, CHURN, V1, alice, who=ALICE).changed
    assert not sign_version(bench.registry, CHURN, V1, alice, who=ALICE).changed
    assert [one.who for one in signers(bench.registry, CHURN, V1, digest, allowed(alice=alice))] == [ALICE]
    assert verify(bench.registry, signed_by=SignedBy(allowed(alice=alice))).ok
    ada = SignedBy(AllowedSigners((f"ada {public(alice)}",)))
    assert move_fault((head.record for head in records(bench.registry, CHURN, FREE)), ada) == ""


def test_an_agent_signs(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ssh-agent") is None:
        pytest.skip("needs ssh-agent")
    digest = bench.publish("1.0.0").digest
    key = make_key(tmp_path, "id")
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
        key.unlink()
        sign_version(bench.registry, CHURN, V1, key.with_name("id.pub"), who=ALICE)
    finally:
        agent.terminate()
        agent.communicate()
    assert len(signers(bench.registry, CHURN, V1, digest, allowed(alice=key))) == 1


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
@settings(derandomize=True, deadline=None, database=None, max_examples=60)
def test_whatever_claims_to_be_a_signature_names_a_key_or_none(text: str) -> None:
    assert public_key(text) == "" or len(public_key(text).split(" ")) == 2


@pytest.mark.parametrize("who", ["", "-f", "a\0b"])
def test_no_name_confuses_ssh_keygen(who: str) -> None:
    assert not is_signature(b"", "", who, [])


def test_a_statement_stands_as_it_was_written() -> None:
    statement = Statement(CHURN, V1, "d" * 64, ALICE, "2026-03-01T12:00:00.000Z")
    assert parse_statement(statement.encode(), "it") == statement
    for data in (
        b"",
        b"{}",
        statement.encode() + b"\n",
        statement.encode().replace(b"artreg/signature/1", b"artreg/signature/2"),
    ):
        with pytest.raises(IntegrityError):
            parse_statement(data, "it")
