"""The data of a version as Croissant 1.0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from artreg.core.snapshot import ColumnTotals, TableDescription
from artreg.errors import NotFound
from artreg.exporting.documents import export_croissant
from artreg.registry.handle import Registry
from artreg.registry.snapshot_taking import take
from artreg.store.local import LocalStore
from exporting.golden import same_as_golden
from exporting.made import DATA, TABLE, meant, published, registry_on, trained


def test_what_the_manifest_says_is_in_it(registry: Registry) -> None:
    content = export_croissant(registry, meant(registry)).content
    same_as_golden("croissant.json", json.dumps(content, indent=2) + "\n")
    (file,) = content["distribution"]
    assert (file["sha256"], file["contentUrl"]) == (DATA["content_hash"], "data/churn.csv")
    assert "contentSize" not in file
    assert [field["name"] for field in content["recordSet"][0]["field"]] == ["id", "age", "plan", "churned"]


def test_data_that_the_registry_keeps_are_found_there(registry: Registry, tmp_path: Path) -> None:
    columns = (ColumnTotals("id", "text", 2, 0),)
    table = TableDescription(DATA["content_hash"], len(TABLE), "csv", 2, columns, {}, 2, "id")
    take(registry, "churn", table, "data/churn.csv", TABLE)
    (file,) = export_croissant(registry, meant(registry)).content["distribution"]
    assert Path(file["contentUrl"]).read_bytes() == TABLE
    assert (file["contentSize"], file["encodingFormat"]) == (f"{len(TABLE)} B", "text/csv")


@pytest.mark.parametrize("odd", [{}, [], 3, "\x00", {"column": {}}])
def test_a_data_manifest_of_others_breaks_nothing(local_store: LocalStore, tmp_path: Path, odd: object) -> None:
    registry = registry_on(local_store)
    published(registry, tmp_path / "made", trained(**{"data_manifest.json": dict.fromkeys(DATA, odd)}))
    content = export_croissant(registry, meant(registry)).content
    assert json.loads(json.dumps(content)) == content


def test_a_version_without_data_says_so(local_store: LocalStore, tmp_path: Path) -> None:
    registry = registry_on(local_store)
    published(registry, tmp_path / "made", {"model.bin": "m"}, run=None)
    with pytest.raises(NotFound, match="does not say what data"):
        export_croissant(registry, meant(registry))
