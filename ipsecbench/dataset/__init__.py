"""One JSON file per run: its schema, its storage, and what can be read out of it."""
