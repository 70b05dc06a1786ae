"""What the box is: processor, kernel crypto drivers, network cards, libcrypto, clock and condition.

Everything is parsed from text, so that any box's files can be examined on another. Unknown is said to be unknown.
"""

from __future__ import annotations

from ipsecbench.hardware.detection import Hardware, detect

__all__ = ["Hardware", "detect"]
