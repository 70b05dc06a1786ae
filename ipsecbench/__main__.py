"""``python -m ipsecbench``."""

from ipsecbench.cli import main

main()
