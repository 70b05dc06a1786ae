"""Scenarios of the laboratory: each one is a setting and what is claimed of it, shown by trying."""
