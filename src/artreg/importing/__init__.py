"""Moving in: versions and aliases that other tools hold become versions and aliases of a registry."""
