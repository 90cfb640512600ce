"""Keys as OpenPGP programs keep them: packets, armour, S-expressions."""
