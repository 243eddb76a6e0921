"""What a consumer of models works with on its own machine: a cache of files, and pulling through it."""
