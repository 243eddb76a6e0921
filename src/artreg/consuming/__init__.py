"""For whoever uses models: what they pin, what they keep of it, and how they reach it."""
