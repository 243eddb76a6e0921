"""A filesystem artifact registry with a promotion CLI."""
