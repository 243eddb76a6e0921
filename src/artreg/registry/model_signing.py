"""The OpenSSF model signing format, by the package `model-signing`: made and checked without reading a version again.

Both go by the digests of the manifest, which stands in for hashing the files. Keys are ECDSA keys, those that OpenSSH
calls `ecdsa-sha2-nistp256` and so on, so that one allowed signers file names the keys of both formats.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from artreg.core import canonical
from artreg.core.allowed_signers import AllowedSigners
from artreg.core.bundle import GIT_FILES, bundle_problem, key_hint, signed_files
from artreg.core.manifest import Manifest
from artreg.errors import InvalidInput
from artreg.registry.signing import NAMESPACE, pem_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LINE = (
    r'(?:"(?P<quoted>[^"]+)"|(?P<names>[^\s"]+))[ \t]+(?:namespaces="(?P<namespaces>[^"]*)"[ \t]+)?'
    r"(?P<key>ecdsa-sha2-nistp[0-9]+[ \t]+[A-Za-z0-9+/=]+)(?:[ \t].*)?"
)


def sign_bundle(manifest: Manifest, name: str, key: Path) -> bytes:
    """Return a bundle that lists the files of a version, signed with an elliptic curve key.

    Args:
        manifest: The version's manifest.
        name: What the bundle calls the model.
        key: A private key in PEM.

    Raises:
        InvalidInput: The package is not installed, or the key cannot sign.
    """
    signing, _ = _library()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "bundle")
        try:
            config = signing.Config().use_elliptic_key_signer(private_key=key)
            config.set_hashing_config(_Known(signed_files(manifest), name)).sign(name, made)
        except Exception as error:  # the package does not say what it raises
            raise _cannot_sign(key, error) from error
        return made.read_bytes()


def bundle_signers(data: bytes, manifest: Manifest, allowed: AllowedSigners) -> Iterator[tuple[str, str]]:
    """Yield in whose name a bundle is signed, with the public key; nobody if it is not of this version.

    Raises:
        InvalidInput: The package is not installed, and the bundle names a key that counts.
    """
    hint = key_hint(data)
    if not hint or bundle_problem(data, manifest):
        return
    for names, key in ec_keys(allowed.lines):
        pem = pem_of(key)
        if canonical.digest(pem) == hint and _is_signed(data, manifest, pem):
            for who in names.split(","):
                yield who, key


def public_half(key: Path) -> str:
    """Return the public half of a private key in PEM, as OpenSSH writes it.

    Raises:
        InvalidInput: It cannot be read, or is encrypted; or the package is not installed.
    """
    _library()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # comes with the package

    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise _cannot_sign(key, error) from error
    formats = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return private.public_key().public_bytes(*formats).decode("ascii")


def ec_keys(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the names and the keys of the lines that name an ECDSA key, for this purpose, without further conditions.

    Keys that are only good until some time, and those that vouch for others, need OpenSSH to judge them.
    """
    for line in lines:
        found = re.fullmatch(_LINE, line)
        if found and _is_for_artreg(found["namespaces"]):
            yield found["quoted"] or found["names"], found["key"]


def _cannot_sign(key: Path, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"cannot sign with {key}: {error}", hint="name an ECDSA key (P-256, P-384 or P-521) in PEM, unencrypted"
    )


def _is_for_artreg(namespaces: str | None) -> bool:
    return namespaces is None or any(fnmatchcase(NAMESPACE, pattern) for pattern in namespaces.split(","))


def _is_signed(data: bytes, manifest: Manifest, pem: bytes) -> bool:
    _, verifying = _library()
    with tempfile.TemporaryDirectory() as folder:
        bundle, key = Path(folder, "bundle"), Path(folder, "key.pem")
        bundle.write_bytes(data)
        key.write_bytes(pem)
        files = _Known({**manifest.files, **signed_files(manifest)}, "")
        try:
            config = verifying.Config().use_elliptic_key_verifier(public_key=key)
            config.set_hashing_config(files).set_ignore_unsigned_files(True).verify(Path(), bundle)
        except Exception:  # noqa: BLE001  # whatever a bundle that somebody made up leads to, it is not signed
            return False
    return True


class _Known:
    """In the place of hashing files: their digests are known."""

    def __init__(self, files: Mapping[str, str], name: str) -> None:
        self._files = files
        self._name = name

    def add_ignored_paths(self, **_: object) -> None:
        """Leave nothing out but what the bundle does not list."""

    def hash(self, _: object, *, files_to_hash: Iterable[Path] | None = None) -> Any:
        """Return the digests of the files that are asked for, all by default."""
        from model_signing import manifest  # noqa: PLC0415
        from model_signing._hashing.hashing import Digest  # noqa: PLC0415  # the one thing that its public part lacks

        names = self._files if files_to_hash is None else {path.as_posix() for path in files_to_hash}
        how = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": list(GIT_FILES)}
        items = [
            manifest.FileManifestItem(path=Path(name), digest=Digest("sha256", bytes.fromhex(self._files[name])))
            for name in sorted(names)
            if name in self._files
        ]
        return manifest.Manifest(self._name, items, manifest.SerializationType.from_args(how))


def _library() -> tuple[Any, Any]:
    try:
        from model_signing import signing, verifying  # noqa: PLC0415
    except ImportError as error:
        raise InvalidInput(
            f"model-signing cannot be loaded: {error}", hint="pip install 'artreg[model-signing]'"
        ) from error
    return signing, verifying
