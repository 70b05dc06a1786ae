"""TOML files that people write: read with the line of every key, and one clear line for every mistake."""
