"""Long integers of GMP: what a search multiplies by thousands takes a third to a tenth of the time.

Python's own integers have 30-bit digits and the schoolbook's way to multiply and divide them. GMP's
are typed as Python's here, since they compute, compare and hash alike; but other libraries refuse
them, and so whatever leaves a search is an ``int`` again. This module refuses to wipe memory, which
neither of the two does.
"""

import contextlib
import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

_ASKED = "importlib.metadata"


def _loaded() -> ModuleType:
    """Import gmpy2, and not what it asks for its own version: that takes 40 ms of each start.

    Seen in gmpy2 2.3, which lets importlib search for it and read what it finds as e-mail. One that
    asks for more has it.
    """
    if _ASKED in sys.modules or "gmpy2" in sys.modules:
        return importlib.import_module("gmpy2")
    answering: Any = SimpleNamespace(version=str)
    sys.modules[_ASKED] = answering
    with contextlib.suppress(AttributeError, ImportError):  # as it, or Python's import, puts it
        try:
            return importlib.import_module("gmpy2")
        finally:
            del sys.modules[_ASKED]
    return importlib.import_module("gmpy2")


gmpy2 = _loaded()

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
