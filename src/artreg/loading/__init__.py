"""Loading models out of a registry: from bytes that were verified and that nobody can change any more."""
