"""RSA from any part that suffices: ``rsa`` asks each relation in turn.

Who knows the modulus (``known``), and who does not: two primes (``pairs``), with their exponents
(``couples``, ``reclaimed``), one (``dividing``, ``drawn``), an exponent (``crt``, ``exponents``,
``orders``), a coefficient (``coefficients``, ``inverses``), a number that only Montgomery's method
has (``residues``), or that d was computed with (``totients``); and what an allocator wrote over
(``damaged``, ``high_exponents``, ``low_exponents``, ``low_ends``, ``high_ends``), where ``partial``
solves for what is gone.
"""
