"""Which parameters, and why not the others: constraints, ranking, phases, old peers, pairs, what would change it."""
