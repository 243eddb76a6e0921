"""What is told to others after an alias moved, at least once and in order, whatever happens to whoever tells it."""
