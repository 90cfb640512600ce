"""Keys in groups of a finite field, g**x = y modulo p: DSA, Diffie-Hellman, ElGamal.

``discrete`` asks. Of ``groups`` those of bare numbers are for ``subgroups``; ``exponents`` tries
what ``logarithms`` lists; ``small_orders``, ``short_digits``, ``long_exponents`` and ``written``
find what it does not, the first by ``short_numbers``; ``dsa_nonces`` names what signatures left.
"""
