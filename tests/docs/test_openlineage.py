"""The page about OpenLineage is played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docs.sessions import environment, read
from integrations.receivers import checked

CONFIG = """\
name: iris
data: {path: "sklearn:iris", id_column: sample_id, target: label}
trainer: logistic_regression
"""


@pytest.mark.slow  # it trains
def test_the_session(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "iris.yaml").write_text(CONFIG)
    assert read("docs/openlineage.md", tmp_path, environment()) >= 6
    for line in (tmp_path / "events.jsonl").read_text().splitlines():
        checked(json.loads(line))
