"""What is wanted: rates, traffic, tunnels, mode, objective, from flags or a file."""
