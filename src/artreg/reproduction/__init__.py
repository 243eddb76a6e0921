"""Training a version again, from its records alone, and proving that it comes out the same."""
