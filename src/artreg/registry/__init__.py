"""The operations of the registry, as functions over a small handle."""
