"""Measurements of others, read from what their tools print: each format a module, each figure with its line.

Sans-IO but for :func:`ipsecbench.importers.text.read_text`: what is read is somebody else's text, bounded and hostile.
"""
