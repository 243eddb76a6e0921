"""A remote of DVC's that answers by HTTP: read with the credentials that DVC's own config has for it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from artreg.core.redact import redact_url
from artreg.errors import ArtregError, InvalidInput, NotFound, StorageError
from artreg.integrations.http_reading import StatusError, UnreachableError, connections, contents
from artreg.store.interface import Chunk

_HEADER, _TEXT = "[A-Za-z0-9-]+", "[ -~]*"
_NOT_THERE = {404, 410}
_NOT_LET_IN = {401, 403}
_AGAIN = "import again once it answers, or run dvc fetch --all-tags there first"


class HttpRemote:
    """A remote.

    Args:
        url: Where it is.
        settings: What DVC's config says of it: `auth`, `user`, `password`, `custom_auth_header`, `ssl_verify`.

    Raises:
        InvalidInput: The URL is none, or it is let in only by what artreg does not have.
    """

    def __init__(self, url: str, settings: Mapping[str, str]) -> None:
        self.url = redact_url(url).rstrip("/")  # for errors too: without a user
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if not parts.hostname or parts.query or parts.fragment:
            raise InvalidInput(f"{self.url} is no place of files", hint="correct the remote's url")
        credentials = _credentials(settings) or _basic(unquote(parts.username or ""), unquote(parts.password or ""))
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "artreg", **credentials}
        self._secret = list(credentials)
        verify = settings.get("ssl_verify", "")
        self._pool = connections(self.url, verify if verify.lower() not in {"", "true", "false"} else None)

    def chunks(self, key: str) -> Iterator[Chunk]:
        """Yield the bytes under a key.

        Raises:
            NotFound: There are none.
            StorageError: It cannot be reached, refuses, breaks off, or sends next to nothing.
        """
        place = f"{self.url}/{key}"
        try:
            yield from contents(self._pool, place, self._headers, self._secret)
        except StatusError as error:
            raise _refused(place, error.status) from None
        except UnreachableError as error:
            raise StorageError(f"{place} cannot be read: {error}", hint=_AGAIN) from error


def _refused(place: str, status: int) -> ArtregError:
    if status in _NOT_THERE:
        return NotFound(f"{place} is not there")
    if status in _NOT_LET_IN:
        return StorageError(
            f"{place} is not given out (HTTP {status})",
            hint="dvc remote modify --local gives its auth, user and password; or run dvc fetch --all-tags there first",
        )
    return StorageError(f"{place} cannot be read: HTTP {status}", hint=_AGAIN)


def _credentials(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the headers by which a remote lets somebody in, as its config says."""
    auth = settings.get("auth", "").lower()
    if not auth:
        return {}
    user, password, header = (settings.get(name) for name in ("user", "password", "custom_auth_header"))
    if password is None:
        raise InvalidInput("its config keeps no password", hint="dvc remote modify --local NAME password …")
    if auth == "basic" and user:
        return _basic(user, password)
    if auth == "custom" and header and re.fullmatch(_HEADER, header) and re.fullmatch(_TEXT, password):
        return {header: password}
    raise InvalidInput(f"its config says auth = {auth[:20]}, without what that needs", hint="dvc remote modify --local")


def _basic(user: str, password: str) -> dict[str, str]:
    if not user:
        return {}
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
