"""Datasets held against each other: row by row, box by box, and against a goal."""
