"""With which credentials an MLflow tracking server is asked."""

from __future__ import annotations

import os
from base64 import b64encode
from urllib.parse import unquote

from artreg.errors import InvalidInput
from artreg.posting import is_header


def credentials(user: str | None, password: str | None) -> dict[str, str]:
    """Return the headers of every request, by a user and password or by what the environment says.

    Raises:
        InvalidInput: No header can hold what the environment says.
    """
    headers = {"Accept-Encoding": "identity", "User-Agent": "artreg"}
    name = unquote(user) if user else os.environ.get("MLFLOW_TRACKING_USERNAME")
    secret = unquote(password or "") if user else os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if name:
        headers["Authorization"] = f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"
    elif token:
        headers["Authorization"] = f"Bearer {token}"
    if workspace := os.environ.get("MLFLOW_WORKSPACE"):
        headers["X-MLFLOW-WORKSPACE"] = workspace
    if not all(map(is_header, headers.values())):
        raise InvalidInput(
            "MLFLOW_TRACKING_TOKEN or MLFLOW_WORKSPACE holds what no header can, such as a line break",
            hint="set them anew, as one line of ASCII",
        )
    return headers
