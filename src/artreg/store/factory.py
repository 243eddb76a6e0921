"""From the URL of a registry to its store: the only place that looks at a scheme."""

from __future__ import annotations

import os
import re

from artreg.errors import InvalidInput
from artreg.store.interface import Store, check_key
from artreg.store.options import StorageOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_SCHEME = r"(?s)([A-Za-z][A-Za-z0-9+.-]*)://(.*)"
_BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}"
_PREFIX_LIMIT = 120  # leaves the rest of the 1,024 bytes that a bucket's keys may have to the registry's own keys
_PACKAGES = {"gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
_KNOWN = "use a path, file://, s3://bucket/prefix, gs://, az:// or memory://name"


def open_store(url: str | os.PathLike[str], options: StorageOptions | None = None) -> Store:
    """Return the store for a registry root; nothing is reached or made yet.

    Args:
        url: A path, or `file://`, `s3://`, `gs://`, `gcs://`, `az://`, `abfs://` or `memory://` with what follows.
        options: How to reach a bucket.

    Raises:
        InvalidInput: Nothing of the kind can hold a registry, or the package for it is missing.
    """
    text = os.fspath(url)
    if not text or "\0" in text:
        raise InvalidInput("the registry's root is empty or holds a NUL", hint=_KNOWN)
    if "::" in text and "://" in text:
        raise InvalidInput(
            f"{_shown(text)} is a chain of file systems, which cannot promise atomic writes", hint=_KNOWN
        )
    match = re.fullmatch(_SCHEME, text) if "://" in text else None
    if match is None and "://" in text:
        raise InvalidInput(f"{_shown(text)} is neither a path nor a URL", hint=_KNOWN)
    if match is None:
        return _local(text)
    scheme, rest = match[1].lower(), match[2]
    if scheme == "file":
        return _local(_file_path(text, rest))
    _refuse_credentials(scheme, rest.partition("/")[0])
    if scheme == "memory":
        return _memory(rest)
    bucket, prefix = _bucket_and_prefix(scheme, rest)
    options = options or StorageOptions()
    if scheme == "s3":
        from artreg.store.s3 import open_s3  # noqa: PLC0415

        return open_s3(bucket, prefix, options)
    from artreg.store.generic import open_generic  # noqa: PLC0415

    return open_generic(scheme, _PACKAGES[scheme], bucket, prefix, options)


def s3_place(url: str) -> tuple[str, str]:
    """Return the bucket and the prefix that an `s3://` URL names.

    Raises:
        InvalidInput: It is none.
    """
    match = re.fullmatch(_SCHEME, url)
    if match is None or match[1].lower() != "s3":
        raise InvalidInput(f"{_shown(url)} is no bucket of S3", hint="name one: --registry s3://bucket/prefix")
    return _bucket_and_prefix("s3", match[2])


def _local(path: str) -> Store:
    from artreg.store.local import LocalStore  # noqa: PLC0415

    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise InvalidInput(f"{path!r} cannot be the path of a folder", hint=_KNOWN) from None
    if "\0" in path:
        raise InvalidInput("the registry's root holds a NUL", hint=_KNOWN)
    return LocalStore(os.path.expanduser(path))


def _memory(name: str) -> Store:
    from artreg.store.memory import MemoryStore  # noqa: PLC0415

    return MemoryStore(check_key(name.rstrip("/")) if name.rstrip("/") else "")


def _file_path(url: str, rest: str) -> str:
    from urllib.parse import unquote  # noqa: PLC0415

    host, slash, path = rest.partition("/")
    if not slash or host not in {"", "localhost"}:
        raise InvalidInput(f"{_shown(url)} names another machine", hint="write file:/// and an absolute path")
    return "/" + unquote(path)


def _refuse_credentials(scheme: str, host: str) -> None:
    if "@" in host or ":" in host:
        raise InvalidInput(
            f"the {scheme}:// URL holds credentials or an account before its bucket",
            hint="put them into the environment, such as AWS_ACCESS_KEY_ID; a URL ends up in logs",
        )


def _bucket_and_prefix(scheme: str, rest: str) -> tuple[str, str]:
    bucket, _, prefix = rest.partition("/")
    shown = f"{scheme}://{rest}"
    if scheme not in {"s3", *_PACKAGES}:
        _refuse_scheme(scheme)
    if "?" in rest or "#" in rest:
        raise InvalidInput(f"{_shown(shown)} has a query, which a registry's root cannot have", hint=_KNOWN)
    if not re.fullmatch(_BUCKET, bucket):
        raise InvalidInput(f"{_shown(shown)} does not name a bucket", hint=f"write {scheme}://bucket/prefix")
    prefix = prefix.strip("/")
    try:
        check_key(prefix or bucket)
    except InvalidInput:
        raise InvalidInput(f"{_shown(shown)} does not name a place in a bucket", hint=_KNOWN) from None
    if len(prefix.encode()) > _PREFIX_LIMIT:
        raise InvalidInput(f"{_shown(shown)} is too long: {_PREFIX_LIMIT} bytes may follow the bucket")
    return bucket, prefix


def _refuse_scheme(scheme: str) -> NoReturn:
    if scheme in {"s3a", "s3n"}:
        raise InvalidInput(f"{scheme}:// is what Hadoop calls it", hint="write s3:// instead")
    raise InvalidInput(f"{scheme}:// cannot hold a registry", hint=_KNOWN)


def _shown(url: str) -> str:
    """`url` without what may be credentials."""
    return repr(re.sub(r"(?s)(?<=//).*@", "***@", url.partition("?")[0]))
