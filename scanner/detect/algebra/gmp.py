"""Long integers of GMP: what a search multiplies by thousands takes a third to a tenth of the time.

Python's own integers have 30-bit digits and the schoolbook's way to multiply and divide them. GMP's
are typed as Python's here, since they compute, compare and hash alike; but other libraries refuse
them, and so whatever leaves a search is an ``int`` again. This module refuses to wipe memory, which
neither of the two does.
"""

from typing import TYPE_CHECKING

import gmpy2

if TYPE_CHECKING:

    def mpz(value: int, /) -> int:
        """Return the number as one of GMP's."""
else:
    mpz = gmpy2.mpz


def power(base: int, exponent: int, modulus: int) -> int:
    """Return ``base`` to the ``exponent``, modulo what it is prime to if that is negative."""
    return int(gmpy2.powmod(base, exponent, modulus))


def inverse(value: int, modulus: int) -> int:
    """Return the inverse of a number. Raises ValueError where there is none."""
    try:
        return int(gmpy2.invert(value, modulus))
    except ZeroDivisionError:
        raise ValueError("no inverse") from None
