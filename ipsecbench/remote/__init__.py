"""Measure another box over the system's ssh, with nothing installed there and nothing left behind: docs/remote.md.

What comes from the box is hostile data: bounded, made printable, never executed and never the name of a local file.
"""
