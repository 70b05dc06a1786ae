"""Exit codes of commands that end without an exception; those of exceptions are in :mod:`ipsecbench.errors`."""

from __future__ import annotations

EXIT_ERROR = 1
"""Something of what was asked for was not done, and has been said."""
EXIT_NOT_MET = 3
"""Done, but a goal, a policy or a threshold is not met."""
EXIT_CORRECTNESS = 5
"""What came out is wrong."""
EXIT_INTERRUPTED = 130
"""Ended by the user: 128 and the number of SIGINT, as shells have it."""
