"""``ipsecbench lab …``: the commands of the laboratory, their options and screens."""
