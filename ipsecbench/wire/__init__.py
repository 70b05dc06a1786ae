"""Octets of protocols: a bounds-checked reader, and field declarations with the one codec."""
