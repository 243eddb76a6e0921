"""What a model file holds, read under limits and without running or making any of it."""
