"""Keys on named curves, d*G = Q: ``ec`` for bare scalars, ``digit_scalars`` for those in digits.

``trials`` lists what may be a scalar, in Montgomery form too (``shifted``), ``comb`` derives points
of many, and ``matches`` keeps those whose point stands elsewhere; ``beheaded`` seeks what is gone.
Points bear witness in every spelling (``curves``, ``points``, ``jacobian``, ``projective``,
``blocks``, by way of ``witnesses``). What a signature left behind is no key: ``nonces``,
``digit_nonces``, and what its check computed, ``verifying``, by way of ``signed``.
"""
