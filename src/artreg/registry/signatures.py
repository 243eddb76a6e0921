"""Signatures of versions: made, attached, and checked against the keys that count.

They lie beside the version, never inside, each in files of its own that nothing overwrites. No event tells of them: a
signature proves itself, and one that is taken away is only missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from artreg.core import keys
from artreg.core.allowed_signers import AllowedSigners, SignedBy
from artreg.core.bundle import bundle_problem
from artreg.core.manifest import Manifest
from artreg.core.names import ModelName
from artreg.core.signature import BUNDLE, SSH, STATEMENT, Signature, SignatureKind, Statement, parse_statement
from artreg.core.version import Version
from artreg.errors import IntegrityError, InvalidInput, NotFound
from artreg.frozen import Frozen, replace
from artreg.registry.check import Problem
from artreg.registry.handle import Registry
from artreg.registry.signing import allowed_signer, fingerprint, is_signature, public_key, sign
from artreg.registry.version_log import read_log, require_digest
from artreg.registry.versions import find_manifest, list_entries, read_manifest
from artreg.store.commit import commit
from artreg.store.interface import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_MANY = 256  # signatures of one version; whoever puts more there wants to keep readers busy


class Signer(Frozen):
    """Who signed a version, by a key that counts.

    Attributes:
        who: In whose name.
        key: The fingerprint of the public key.
        time: When, by the signer's clock; '' where the format does not say.
        kind: The format.
    """

    who: str
    key: str
    time: str
    kind: SignatureKind


class Claim(Frozen):
    """A signature as it presents itself.

    Attributes:
        who: In whose name; '' where the format does not say.
        key: The fingerprint of the key that it names, or ''.
        time: When, by the signer's clock; '' where the format does not say.
        kind: The format.
        valid: Whether a key that counts signed these very bytes in that name; None where nobody said which count.
    """

    who: str
    key: str
    time: str
    kind: SignatureKind
    valid: bool | None


class Signed(Frozen):
    """How a version stands after it was signed.

    Attributes:
        model: The model.
        version: The version.
        digest: What was signed.
        kind: The format.
        signature: The signature; None with a dry run.
        who: In whose name; '' where the format does not say.
        changed: Whether this call made it; False if that person had signed with that key already.
        dry_run: Whether nothing was written on purpose.
    """

    model: ModelName
    version: Version
    digest: str
    kind: SignatureKind
    signature: Signature | None
    who: str
    changed: bool
    dry_run: bool = False


def sign_version(
    registry: Registry, model: ModelName, version: Version, key: Path, *, who: str = "", dry_run: bool = False
) -> Signed:
    """Sign a version with an SSH key; once with each key is enough.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        key: A private key, or a public one whose private half is in the agent.
        who: In whose name; by default whoever acts on the registry.
        dry_run: Say what would be signed, but sign and write nothing.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its manifest is damaged, or is not what was said of the version before.
        InvalidInput: The key cannot sign, or the name cannot stand in an allowed signers file.
        StorageError: Storage failed; the same command run again goes on.
    """
    digest = _manifest(registry, model, version).digest
    statement = Statement(model, version, digest, who or registry.actor, registry.timestamp())
    allowed_signer(statement.who, "ssh-ed25519 any")  # a name that nobody could be asked for
    if dry_run:
        return Signed(model, version, digest, SignatureKind.SSH, None, statement.who, changed=True, dry_run=True)
    data = statement.encode()
    signature = Signature(SignatureKind.SSH, data, sign(data, key))
    own = AllowedSigners((allowed_signer(statement.who, public_key(signature.signature)),))
    there = next((found for found, _ in _valid(registry, model, version, digest, own)), None)
    if there is not None:
        return Signed(model, version, digest, SignatureKind.SSH, there, statement.who, changed=False)
    attach(registry, model, version, signature)
    return Signed(model, version, digest, SignatureKind.SSH, signature, statement.who, changed=True)


def sign_version_bundle(
    registry: Registry, model: ModelName, version: Version, key: Path, *, dry_run: bool = False
) -> Signed:
    """Sign a version in the OpenSSF model signing format; once with each key is enough.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        key: A private elliptic curve key in PEM.
        dry_run: Say what would be signed, but write nothing.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its manifest is damaged, or is not what was said of the version before.
        InvalidInput: The key cannot sign, or the package `model-signing` is not installed.
        StorageError: Storage failed; the same command run again goes on.
    """
    from artreg.registry.model_signing import public_half, sign_bundle  # noqa: PLC0415  # only this format needs it

    manifest, own = _manifest(registry, model, version), AllowedSigners((f"* {public_half(key)}",))
    for there, signer in _valid(registry, model, version, manifest.digest, own):
        if signer.kind is SignatureKind.MODEL_SIGNING:
            return Signed(model, version, manifest.digest, there.kind, there, "", changed=False)
    data = b"" if dry_run else sign_bundle(manifest, f"{model.model}-{version}", key)
    return _lay(registry, model, version, manifest, data, dry_run=dry_run)


def attach_bundle(
    registry: Registry, model: ModelName, version: Version, data: bytes, *, dry_run: bool = False
) -> Signed:
    """Lay a bundle beside a version that another tool signed, such as `model_signing sign` over a pulled folder.

    Raises:
        NotFound: There is no such version.
        IntegrityError: Its manifest is damaged, or is not what was said of the version before.
        InvalidInput: The bundle speaks of something else.
        StorageError: Storage failed; the same command run again goes on.
    """
    manifest = _manifest(registry, model, version)
    problem = bundle_problem(data, manifest)
    if problem:
        raise InvalidInput(
            f"this signature is not of {model}@{version}: {problem}",
            hint="sign the folder that artreg pull made, checksum.txt and all",
        )
    there = next((one for one in read_signatures(registry, model, version)[0] if one.data == data), None)
    if there is not None:
        return Signed(model, version, manifest.digest, SignatureKind.MODEL_SIGNING, there, "", changed=False)
    return _lay(registry, model, version, manifest, data, dry_run=dry_run)


def attach(registry: Registry, model: ModelName, version: Version, signature: Signature) -> None:
    """Lay a signature beside a version; one that lies there already stays.

    Raises:
        OutcomeUnknown: It may or may not have been written; the same command run again settles it.
        StorageError: It was not written.
    """
    registry.store.prepare_writing()
    for name, data in signature.files().items():
        commit(registry.store, f"{keys.signatures_prefix(model, version)}/{name}", data)


def signers(
    registry: Registry, model: ModelName, version: Version, digest: str, allowed: AllowedSigners
) -> tuple[Signer, ...]:
    """Return who signed a version with a key that counts, each name and key once.

    What is damaged, speaks of something else, or was made with another key, counts for nothing; `verify` names damage.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        digest: The digest that a signature must speak of: that of the bytes that the caller looks at.
        allowed: Whose keys count.

    Raises:
        InvalidInput: There is no ssh-keygen.
        StorageError: Storage cannot be read.
    """
    found = {(signer.who, signer.key): signer for _, signer in _valid(registry, model, version, digest, allowed)}
    return tuple(sorted(found.values(), key=lambda signer: (signer.who, signer.time)))


def claims(
    registry: Registry, model: ModelName, version: Version, digest: str, allowed: AllowedSigners | None
) -> tuple[Claim, ...]:
    """Return the signatures of a version, be they worth anything or not.

    Args:
        registry: The registry.
        model: The model.
        version: The version.
        digest: The digest that a signature must speak of.
        allowed: Whose keys count, if anybody said so.

    Raises:
        InvalidInput: There is no ssh-keygen to check them with.
        StorageError: Storage cannot be read.
    """
    stored, _ = read_signatures(registry, model, version)
    checked = () if allowed is None else _valid(registry, model, version, digest, allowed)
    signed = {signature.id: signer for signature, signer in checked}
    found = []
    for one in stored:
        signer = signed.get(one.id)
        if signer is not None:
            found.append(Claim(signer.who, signer.key, signer.time, signer.kind, True))
        else:
            valid = None if allowed is None else False
            found.append(replace(_claimed(one), valid=valid))
    return tuple(sorted(found, key=lambda claim: (claim.who, claim.time, claim.key)))


def signature_problem(
    registry: Registry, model: ModelName, version: Version, digest: str, wanted: SignedBy
) -> Problem | None:
    """Return what is wrong if nobody signed a version whose word is wanted, else None.

    Raises:
        InvalidInput: There is no ssh-keygen.
        StorageError: Storage cannot be read.
    """
    found = {signer.who for signer in signers(registry, model, version, digest, wanted.allowed)}
    if any(wanted.accepts(who) for who in found):
        return None
    missing = f"no valid signature by {' or '.join(wanted.names) or 'anybody whose key is known'}"
    others = f"; signed by {', '.join(sorted(found))}" if found else ""
    return Problem(keys.SIGNATURES, missing + others)


def read_signatures(
    registry: Registry, model: ModelName, version: Version
) -> tuple[tuple[Signature, ...], tuple[Problem, ...]]:
    """Return the signatures of a version as they were stored, and what is wrong with the files in their folder.

    Raises:
        StorageError: Storage cannot be read.
    """
    names = set[str]()
    problems: list[Problem] = []
    for entry in list_entries(registry.store, keys.signatures_prefix(model, version)):
        stem = entry.name.partition(".")[0]
        if entry.kind is not Kind.FILE or entry.name not in {stem + STATEMENT, stem + SSH, stem + BUNDLE}:
            problems.append(_problem(entry.name, "extra: it is no signature"))
        names.add(entry.name)
    sealed = sorted(name for name in names if name.endswith((SSH, BUNDLE)))
    if len(sealed) > _MANY:
        problems.append(_problem("", f"there are more than {_MANY}"))
    found: list[Signature] = []
    for name in sealed[:_MANY]:
        try:
            found.append(_read(registry, model, version, name))
        except IntegrityError as error:
            problems.append(_problem(name, error.message))
    return tuple(found), tuple(problems)


def signature_problems(registry: Registry, model: ModelName, version: Version) -> tuple[Problem, ...]:
    """Return what is wrong with the files of a version's signatures, as far as it shows without a key.

    Raises:
        StorageError: Storage cannot be read.
    """
    return read_signatures(registry, model, version)[1]


def _read(registry: Registry, model: ModelName, version: Version, name: str) -> Signature:
    prefix, stem = keys.signatures_prefix(model, version), name.partition(".")[0]
    try:
        if name == stem + BUNDLE:
            signature = Signature(SignatureKind.MODEL_SIGNING, registry.store.read(f"{prefix}/{name}"))
        else:
            data = registry.store.read(f"{prefix}/{stem}{STATEMENT}")
            text = registry.store.read(f"{prefix}/{name}").decode("ascii")
            signature = Signature(SignatureKind.SSH, data, text)
    except NotFound as error:
        raise IntegrityError("what was signed is missing") from error
    except UnicodeDecodeError as error:
        raise IntegrityError("it is no signature") from error
    if signature.id != stem:
        raise IntegrityError("its bytes were changed: they do not match its name")
    if signature.kind is SignatureKind.SSH:
        statement = parse_statement(signature.data, "the statement")
        if (statement.model, statement.version) != (model, version):
            raise IntegrityError(f"it belongs elsewhere: it speaks of {statement.model}@{statement.version}")
    return signature


def _manifest(registry: Registry, model: ModelName, version: Version) -> Manifest:
    """Return the manifest of a version that is as it was when anything was first said of it."""
    manifest = read_manifest(registry, model, version)
    require_digest(read_log(registry, model, version), manifest.digest)
    return manifest


def _lay(
    registry: Registry, model: ModelName, version: Version, manifest: Manifest, data: bytes, *, dry_run: bool
) -> Signed:
    signature = Signature(SignatureKind.MODEL_SIGNING, data)
    if not dry_run:
        attach(registry, model, version, signature)
    there = None if dry_run else signature
    return Signed(model, version, manifest.digest, signature.kind, there, "", changed=True, dry_run=dry_run)


def _valid(
    registry: Registry, model: ModelName, version: Version, digest: str, allowed: AllowedSigners
) -> Iterator[tuple[Signature, Signer]]:
    for signature in read_signatures(registry, model, version)[0]:
        if signature.kind is SignatureKind.SSH:
            found = _by_ssh(signature, digest, allowed)
        else:
            found = _by_model_signing(signature, _find_manifest(registry, model, version, digest), allowed)
        for signer in found:
            yield signature, signer


def _by_ssh(signature: Signature, digest: str, allowed: AllowedSigners) -> Iterator[Signer]:
    said = parse_statement(signature.data, "the statement")
    if said.digest == digest and is_signature(signature.data, signature.signature, said.who, allowed.lines):
        yield Signer(said.who, fingerprint(public_key(signature.signature)), said.time, signature.kind)


def _by_model_signing(signature: Signature, manifest: Manifest | None, allowed: AllowedSigners) -> Iterator[Signer]:
    from artreg.registry.model_signing import bundle_signers  # noqa: PLC0415  # only this format needs it

    for who, key in bundle_signers(signature.data, manifest, allowed) if manifest else ():
        yield Signer(who, fingerprint(key), "", signature.kind)


def _claimed(signature: Signature) -> Claim:
    if signature.kind is not SignatureKind.SSH:
        return Claim("", "", "", signature.kind, None)
    said, key = parse_statement(signature.data, "the statement"), public_key(signature.signature)
    return Claim(said.who, fingerprint(key) if key else "", said.time, signature.kind, None)


def _find_manifest(registry: Registry, model: ModelName, version: Version, digest: str) -> Manifest | None:
    """Return the manifest of a version if it is the one with this digest."""
    try:
        manifest = find_manifest(registry, model, version)
    except IntegrityError:
        return None
    return manifest if manifest is not None and manifest.digest == digest else None


def _problem(name: str, what: str) -> Problem:
    return Problem(f"{keys.SIGNATURES}/{name}" if name else keys.SIGNATURES, what)
