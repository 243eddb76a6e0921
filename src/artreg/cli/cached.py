"""The options of commands that go through the cache."""

from __future__ import annotations

from typing import Annotated

from artreg.cli.declare import Option

OfflineOption = Annotated[
    bool, Option("--offline", help="Ask the registry nothing: go by the cache alone [ARTREG_OFFLINE]")
]
NoCacheOption = Annotated[bool, Option("--no-cache", help="Take nothing from the cache, and keep nothing there")]
