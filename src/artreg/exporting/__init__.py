"""Moving out: a version in the formats of other tools."""
