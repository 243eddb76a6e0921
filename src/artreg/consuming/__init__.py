"""What a consumer of models works with on its own machine: a cache of files, pulling through it, and a lock."""
