"""Drift between the data of two versions: distributions, measures, profiles, and the comparison of two tables."""

from artreg.core.drift.compare import Change, ColumnDrift, DriftReport, SchemaChange, compare
from artreg.core.drift.profile import DATA_MANIFEST, TableProfile, parse_profile

__all__ = [
    "DATA_MANIFEST",
    "Change",
    "ColumnDrift",
    "DriftReport",
    "SchemaChange",
    "TableProfile",
    "compare",
    "parse_profile",
]
