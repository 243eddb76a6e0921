"""Where a version comes from, in the words of others: in-toto and SLSA, CycloneDX."""

from artreg.core.lineage.cyclonedx import cyclonedx_bom
from artreg.core.lineage.origin import Origin
from artreg.core.lineage.slsa import slsa_statement

__all__ = ["Origin", "cyclonedx_bom", "slsa_statement"]
