"""keysift: may this dump leave? Finds and proves private keys in crash dumps."""

__version__ = "0.1.0"
