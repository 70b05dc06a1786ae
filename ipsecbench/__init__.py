"""Measure this box and recommend the IKE and ESP parameters to run on it."""

__version__ = "0.1.0"
