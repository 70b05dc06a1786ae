"""Configurations and proposals of others, read and held against a policy. Text in, records out: nothing is opened here.

What cannot be read is refused with the number of its line; what was read but not followed (an included file, a
section that does not exist) is noted in the answer. The text may be hostile: its size and depth are bounded.
"""
