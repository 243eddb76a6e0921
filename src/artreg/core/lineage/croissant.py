"""The data of a version as a Croissant 1.0 document: where the table lies, what it holds, and how it was split.

See https://docs.mlcommons.org/croissant/docs/croissant-spec.html. Equal versions give equal documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artreg.core.comparison.facts import entries, section
from artreg.core.lineage.origin import Origin
from artreg.core.snapshot import Snapshot

CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    "boolean": "sc:Boolean",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "text": "sc:Text",
    "timestamp": "sc:Date",
}
_ENCODINGS = {"csv": "text/csv", "parquet": "application/x-parquet"}


def croissant(origin: Origin, snapshot: Snapshot | None = None, place: str | None = None) -> dict[str, Any]:
    """Return the document of a version that has a data manifest; what is not known is left out.

    Args:
        origin: The version.
        snapshot: What the registry knows of the data, if it does.
        place: Where the registry keeps them, if it does.
    """
    data = origin.data or {}
    known = {
        "name": str(data.get("name") or "data"),
        "description": f"The data of {origin.name}, {data.get('record_count')} rows.",
        "datePublished": snapshot.created_at if snapshot is not None else None,
        "url": data.get("uri") if str(data.get("uri")).startswith(("https://", "http://")) else None,
    }
    return {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        **{key: value for key, value in known.items() if value is not None},
        "distribution": [_file(data, snapshot, place)],
        "recordSet": [_rows(data), *_splits(data)],
    }


def _file(data: Mapping[str, Any], snapshot: Snapshot | None, place: str | None) -> dict[str, Any]:
    uri = str(data.get("uri") or "")
    suffix = snapshot.table.suffix if snapshot is not None else uri.rpartition(".")[2].lower()
    file: dict[str, Any] = {
        "@type": "cr:FileObject",
        "@id": "table",
        "name": "table",
        "contentUrl": place or uri,
        "encodingFormat": _ENCODINGS.get(suffix, "application/octet-stream"),
        "sha256": data.get("content_hash"),
    }
    return file | ({"contentSize": f"{snapshot.table.size} B"} if snapshot is not None else {})


def _rows(data: Mapping[str, Any]) -> dict[str, Any]:
    id_column, target = data.get("id_column"), section(data, "target").get("column")
    roles = {id_column: "It names the rows.", target: "What is to be predicted."}
    fields = []
    for number, column in enumerate(entries(data.get("schema")), start=1):
        name = str(column.get("name"))
        field = {
            "@type": "cr:Field",
            "@id": f"rows/{number}",
            "name": name,
            "dataType": _TYPES.get(str(column.get("type")), "sc:Text"),
            "source": {"fileObject": {"@id": "table"}, "extract": {"column": name}},
        }
        fields.append(field | ({"description": roles[name]} if name in roles else {}))
    return {"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields}


def _splits(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how the rows were split, as a set of records of its own; nothing where that is not known."""
    split = section(data, "split")
    if not split:
        return []
    fields = {"name": "sc:Text", "url": "sc:URL", "rows": "sc:Integer"}
    kinds = {"train": "cr:TrainingSplit", "test": "cr:TestSplit"}
    told = ", ".join(f"{key} {split[key]}" for key in ("method", "salt", "test_fraction") if key in split)
    return [
        {
            "@type": "cr:RecordSet",
            "@id": "splits",
            "name": "splits",
            "description": f"A row is of the test split by its id: {told}.",
            "dataType": "cr:Split",
            "key": {"@id": "splits/name"},
            "field": [
                {"@type": "cr:Field", "@id": f"splits/{name}", "name": name, "dataType": kind}
                for name, kind in fields.items()
            ],
            "data": [
                {"splits/name": name, "splits/url": kind, "splits/rows": split.get(f"{name}_rows")}
                for name, kind in kinds.items()
            ],
        }
    ]
