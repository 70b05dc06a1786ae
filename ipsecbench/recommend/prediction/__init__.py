"""What the box carries: the cost of a packet, its error, and what follows for cores, SAs and lengths of packets."""
