"""The reference IKE stack, versions 1 and 2, sans-IO: no socket, clock, randomness or library in here."""
