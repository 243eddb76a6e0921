"""Pages of the documentation that are made of the code, so that they cannot tell of another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from reference import codes, commands, config, json_documents, policy, python_api, settings, storage

PAGES: Mapping[str, Callable[[], str]] = {
    **{name: partial(commands.pages().__getitem__, name) for name in commands.pages()},
    "reference/config.md": config.page,
    "reference/policy.md": policy.page,
    "reference/settings.md": settings.page,
    "reference/exit-codes.md": codes.page,
    "reference/json.md": json_documents.page,
    "reference/storage.md": storage.page,
    "reference/python.md": python_api.page,
}
"""What makes each page, by its name in the site."""
