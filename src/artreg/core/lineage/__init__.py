"""Where a version comes from, in the words of others: in-toto and SLSA, CycloneDX, Croissant."""

from artreg.core.lineage.croissant import croissant
from artreg.core.lineage.cyclonedx import cyclonedx_bom
from artreg.core.lineage.origin import Making, Origin
from artreg.core.lineage.slsa import slsa_statement

__all__ = ["Making", "Origin", "croissant", "cyclonedx_bom", "slsa_statement"]
