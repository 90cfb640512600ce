"""Keys as numbers, and what follows of them: no bytes of a dump, no spelling of any."""
