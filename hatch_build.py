"""Puts the man page into the wheel: it is made of the commands, so that it says what they do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPage(BuildHookInterface):
    """Makes share/man/man1/artreg.1, where `man artreg` finds it beside the program."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the page, and name it to the builder."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        from artreg.cli.manpage import every_page  # noqa: PLC0415  # that needs nothing but Python

        page = Path(self.root) / "build" / "artreg.1"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(every_page()["artreg"], encoding="ascii")
        build_data["shared_data"][str(page)] = "share/man/man1/artreg.1"
