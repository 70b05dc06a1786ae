"""``ipsecbench remote``: other boxes over ssh, one after the other or at the same time."""
