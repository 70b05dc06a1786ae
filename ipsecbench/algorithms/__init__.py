"""Facts about algorithms, and nothing else: no input, no output, no clock, no library.

Each fact has its source. What was not read in its source is marked as unverified and is shown so to the user.
"""
