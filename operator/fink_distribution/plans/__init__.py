"""Plans: (declared, observed) -> a tuple of frozen, printable changes. Pure."""
