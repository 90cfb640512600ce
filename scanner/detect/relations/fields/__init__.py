"""Keys in groups of a finite field, g**x = y modulo p: DSA, Diffie-Hellman, ElGamal.

``discrete`` asks. Of ``groups`` those of bare numbers are for ``subgroups``; ``exponents`` tries
what ``logarithms`` lists; ``small_orders``, ``long_exponents`` and ``written`` find what it does
not; ``dsa_nonces`` names what signatures left behind.
"""
