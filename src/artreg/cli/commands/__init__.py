"""One thin module a group of commands: parses, calls, prints."""
