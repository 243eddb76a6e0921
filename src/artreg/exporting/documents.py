"""A version as one document in a format of others."""

from __future__ import annotations

from typing import Any

from artreg.core.lineage import cyclonedx_bom
from artreg.core.names import Reference
from artreg.frozen import Frozen
from artreg.registry.handle import Registry
from artreg.registry.origin import read_origin


class Document(Frozen):
    """A version in a format of others.

    Attributes:
        name: The version's full name.
        content: The document, which can be written as JSON.
    """

    name: str
    content: dict[str, Any]


def export_cyclonedx(registry: Registry, reference: Reference) -> Document:
    """Return a version as a CycloneDX 1.6 ML-BOM.

    Raises:
        NotFound: There is no such version.
        IntegrityError: A document of it is damaged.
    """
    origin = read_origin(registry, reference)
    return Document(origin.name, cyclonedx_bom(origin))
