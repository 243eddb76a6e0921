"""Training as a pure function of code, environment, config and data."""
