"""Bytes under keys. Knows nothing of artifacts."""
