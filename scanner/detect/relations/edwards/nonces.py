"""Which scalars of edwards25519 are nonces of signatures: r*B = R, and behind R stands S.

A nonce is a scalar below the order and its R a point as any key's are (RFC 8032 5.1.6), but few
keys are kept so, and few points have behind them what may be S. What is behind any copy of R
counts, since of one signature there are many, and most of them are no whole ones. Monero keeps two
points and their scalars in one record, so that a key's scalar stands behind another key's point: a
scalar whose own point stands there is no S. In doubt a scalar is a key.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scanner.detect.algebra.publics import PublicKey
from scanner.detect.integers.pool import Pool
from scanner.detect.relations.edwards.trials import Trial, below_order
from scanner.detect.relations.places import variety

_RECORD = 256
"""Bytes of a record in which a key has its point beside it."""

_SIZE = 32


def named(pool: Pool, found: Sequence[Trial], read: Sequence[PublicKey]) -> Iterator[Trial]:
    """Yield what was found, nonces marked; ``read`` are public keys that were met."""
    keys = {trial.private for trial in found}
    signers = {trial.public for trial in found if not trial.reduced}
    met = signers | {key.raw for key in read if key.raw}
    for trial in found:
        once = False
        if trial.reduced and trial.witnesses:
            signed = [at for at in trial.witnesses if _signed(pool, at, keys)]
            once = _followed(pool, trial, signed) or _signing(
                pool, trial, met if signed else signers, signed=bool(signed)
            )
        yield replace(trial, once=once)


def _followed(pool: Pool, trial: Trial, signed: Sequence[int]) -> bool:
    """Tell whether an R that has S behind it says that a scalar is a nonce.

    One in another record does, and so does S behind the nonce itself, as Nettle has it. A scalar in
    one record with its point is a key else.
    """
    own = _behind(pool, trial.position)
    return any(not _together(pool, trial.position, at) or _behind(pool, at) == own for at in signed)


def _signed(pool: Pool, position: int, keys: Collection[bytes]) -> bool:
    """Tell whether behind a point stands what may be the S of a signature (RFC 8032 5.1.6).

    Behind dalek's points stand their coordinates, in limbs whose highest bytes are zero.
    """
    behind = _behind(pool, position)
    spot = np.array([position + _SIZE], np.int64)
    return (
        len(behind) == _SIZE
        and below_order(behind)
        and any(behind[7::8])
        and behind not in keys
        and bool(variety.varied(pool.data, spot, _SIZE)[0])
    )


def _behind(pool: Pool, position: int) -> bytes:
    return pool.data[position + _SIZE : position + 2 * _SIZE].tobytes()


def _signing(pool: Pool, trial: Trial, signers: Collection[bytes], *, signed: bool) -> bool:
    """Tell whether a scalar is the nonce of a signature that another key's owner computes.

    What is hashed with R is the signer's public key, and stands near R: on ring's stack. In what
    Nettle computes a signature in it stands near the nonce, and R, with S behind it, further on. Of
    a key as RFC 8032 makes them, that is: Monero's two keys, none of them clamped, are one record.
    """
    spots = (*trial.witnesses, *((trial.position,) if signed else ()))
    return any(_near(pool, at, signers, trial.public) for at in spots)


def _near(pool: Pool, position: int, publics: Collection[bytes], own: bytes) -> bool:
    """Tell whether a public key stands in one record with what is at a position: not one's own.

    Of public keys there may be thousands: what is looked up is each piece of the record.
    """
    start = max(position - _RECORD, 0)
    around = pool.data[start : position + _SIZE + _RECORD].tobytes()
    pieces = ((at, around[at : at + _SIZE]) for at in range(len(around) - _SIZE + 1))
    found = (at for at, piece in pieces if piece != own and piece in publics)
    return any(_together(pool, position, start + at, _RECORD + 1) for at in found)


def _together(pool: Pool, one: int, other: int, most: int = _RECORD) -> bool:
    """Tell whether two positions are less than so many bytes apart in the dump."""
    here, there = pool.place(one, _SIZE), pool.place(other, _SIZE)
    return here.space == there.space and abs(here.offset - there.offset) < most
