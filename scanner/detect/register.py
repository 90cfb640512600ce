"""All public keys of a dump, as columns: a certificate authority's process holds a million.

As an object a key takes ten times the bytes that say it. Here stand each key's numbers, where it
was read, and the hit that led there: what its owner is called is read again at the hit, for the few
keys whose private half is found. Refuses to keep such names, and what a key of an algorithm that
has no relation consists of.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scanner.arrays import Bytes, Flags, Offsets
from scanner.detect.algebra.publics import BARE, DECODED, PublicKey
from scanner.detect.integers.runs import Runs
from scanner.fingerprint import FFC_OIDS, FIELD_BYTES, SPKI
from scanner.model import Fingerprint, Place, Witness

Columns = npt.NDArray[np.int64]
_Codes = npt.NDArray[np.int16]

MOST_HITS = 256
"""Hits at which one key is read again for its names, of one kind of witness."""

_DIGEST = 32
_NOWHERE = (-1, -1, -1)
_WIDTH, _FIRST = 11, 3
"""Numbers of a row while keys are met, and which of them says that it is the key's first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Register:
    """Public keys in the order in which they were met. Iterating gives each key once."""

    algorithms: tuple[tuple[str, str], ...]
    """Algorithms and curves that ``algorithm`` counts."""
    kinds: tuple[str, ...]
    """Kinds of witnesses that ``kind`` counts."""
    algorithm: _Codes
    kind: _Codes
    bits: Offsets
    digest: Bytes
    """SHA-256 of the SPKI, a row each."""
    first: Flags
    """Whether the key stands in no row before."""
    numbers: bytes
    """n and e, x and y, p, q, g and y, or the encoded key: big-endian, end to end, of the first
    rows alone."""
    end: Offsets
    """Where in ``numbers`` those of a row end."""
    place: Columns
    """Space, offset and size of what was read; -1 for none."""
    hit: Columns
    """Rule, space and offset of the anchor that led there; -1 for none."""

    def __iter__(self) -> Iterator[PublicKey]:
        start = np.append(0, self.end)
        for row in np.flatnonzero(self.first).tolist():
            algorithm, curve = self.algorithms[self.algorithm[row]]
            space, offset, size = self.place[row].tolist()
            witness = Witness(
                kind=self.kinds[self.kind[row]],
                fingerprint=Fingerprint(kind=SPKI, value=self.digest[row].tobytes().hex()),
                place=None if space < 0 else Place(space=space, offset=offset, size=size),
            )
            numbers = self.numbers[start[row] : self.end[row]]
            yield _key(algorithm, curve, int(self.bits[row]), numbers, witness)

    def of(self, algorithms: Collection[str]) -> "Register":
        """Return the keys of some algorithms, each once."""
        wanted = [name in algorithms for name, _ in self.algorithms]
        return self._taken(np.flatnonzero(self.first & _among(wanted, self.algorithm)))

    def places(self, kinds: Collection[str]) -> Runs:
        """Return the places of what was read of some kinds of witnesses."""
        wanted = [kind in kinds for kind in self.kinds]
        rows = self.place[_among(wanted, self.kind) & (self.place[:, 0] >= 0)]
        return Runs(space=rows[:, 0], start=rows[:, 1], end=rows[:, 1] + rows[:, 2])

    def hits(self, names: Collection[str]) -> Columns:
        """Return the hits at which some keys were read, by what may call them by a name.

        ``names`` are their fingerprints in hex. Of one kind and key the first MOST_HITS.
        """
        wanted = {bytes.fromhex(name) for name in names}
        heads = np.ascontiguousarray(self.digest[:, :8]).view("<u8").ravel()
        some = np.array([int.from_bytes(name[:8], "little") for name in wanted], np.uint64)
        named = _among([kind not in (BARE, DECODED) for kind in self.kinds], self.kind)
        count: Counter[tuple[bytes, int]] = Counter()
        rows = []
        for row in np.flatnonzero(named & (self.hit[:, 0] >= 0) & np.isin(heads, some)).tolist():
            name = self.digest[row].tobytes()
            count[name, int(self.kind[row])] += 1
            if name in wanted and count[name, int(self.kind[row])] <= MOST_HITS:
                rows.append(row)
        return self.hit[rows]

    def within(self, sizes: Offsets) -> tuple["Register", int]:
        """Cut places at the ends of their spaces; also say how many were not whole within."""
        space, offset, size = self.place.T
        has = space >= 0
        known = has & (space < len(sizes))
        limit = np.where(known, np.append(sizes, 0)[np.where(known, space, -1)], 0)
        first, last = np.maximum(offset, 0), np.minimum(offset + size, limit)
        good = ~has | ((first == offset) & (last == offset + size) & (size > 0))
        if good.all():
            return self, 0
        cut = np.stack((space, first, last - first), axis=1)
        cut[~has | (first >= last)] = _NOWHERE
        return replace(self, place=cut), int(np.count_nonzero(~good))

    def _taken(self, rows: Offsets) -> "Register":
        start = np.append(0, self.end)
        parts = [self.numbers[start[row] : self.end[row]] for row in rows.tolist()]
        return replace(
            self,
            algorithm=self.algorithm[rows],
            kind=self.kind[rows],
            bits=self.bits[rows],
            digest=self.digest[rows],
            first=self.first[rows],
            numbers=b"".join(parts),
            end=np.cumsum([len(part) for part in parts], dtype=np.int64),
            place=self.place[rows],
            hit=self.hit[rows],
        )


class Registrar:
    """Takes keys as they are met, and gives the register of them."""

    __slots__ = (
        "_algorithms",
        "_columns",
        "_derived",
        "_digests",
        "_kinds",
        "_last",
        "_met",
        "_numbers",
    )

    def __init__(self) -> None:
        self._algorithms: dict[tuple[str, str], int] = {}
        self._kinds: dict[str, int] = {}
        self._met: set[bytes] = set()
        self._derived: dict[bytes, int] = {}
        self._digests, self._numbers = bytearray(), bytearray()
        self._columns = array("q")
        self._last: Place | None = None

    def __contains__(self, name: str) -> bool:
        return bytes.fromhex(name) in self._met

    def add(
        self, key: PublicKey, hit: tuple[int, int, int] = _NOWHERE, *, names: bool = False
    ) -> None:
        """Take a key; ``hit`` is the anchor's rule, space and offset.

        What a certificate holds says no more than the certificate before it. What ``names`` alone
        is no key to look for: it says what one that is found by others is called. A key that was
        derived alone bears no witness, and gives way to itself where it was read.
        """
        digest, place = bytes.fromhex(key.witness.fingerprint.value), key.witness.place
        derived = -1 if names or not key.independent else self._derived.pop(digest, -1)
        first = derived >= 0 or (digest not in self._met and not names)
        if not first and key.witness.kind == BARE and place and _holds(self._last, place):
            return
        if derived >= 0:
            self._columns[derived * _WIDTH + _FIRST] = 0
        if first:
            self._met.add(digest)
            self._numbers += _numbers(key)
            if not key.independent:
                self._derived[digest] = len(self._columns) // _WIDTH
        self._digests += digest
        self._last = place
        self._columns.extend(
            (
                self._algorithms.setdefault((key.algorithm, key.curve), len(self._algorithms)),
                self._kinds.setdefault(key.witness.kind, len(self._kinds)),
                *(key.bits, first, len(self._numbers)),
                *((place.space, place.offset, place.size) if place else _NOWHERE),
                *hit,
            )
        )

    def register(self) -> Register:
        """Return all keys that were taken."""
        rows = np.frombuffer(self._columns, np.int64).reshape(-1, _WIDTH)
        return Register(
            algorithms=tuple(self._algorithms),
            kinds=tuple(self._kinds),
            algorithm=rows[:, 0].astype(np.int16),
            kind=rows[:, 1].astype(np.int16),
            bits=rows[:, 2].copy(),
            digest=np.frombuffer(bytes(self._digests), np.uint8).reshape(-1, _DIGEST),
            first=rows[:, _FIRST] == 1,
            numbers=bytes(self._numbers),
            end=rows[:, 4].copy(),
            place=rows[:, 5:8].copy(),
            hit=rows[:, 8:].copy(),
        )


def _holds(outer: Place | None, inner: Place) -> bool:
    if outer is None or outer.space != inner.space or outer.offset > inner.offset:
        return False
    return inner.offset + inner.size <= outer.offset + outer.size


def _among(wanted: list[bool], codes: _Codes) -> Flags:
    return np.array([*wanted, False])[codes]


def _numbers(key: PublicKey) -> bytes:
    if key.algorithm == "rsa":
        return key.n.to_bytes(-(-key.bits // 8)) + key.e.to_bytes(-(-key.e.bit_length() // 8))
    if key.algorithm == "ec":
        size = FIELD_BYTES[key.curve]
        return key.x.to_bytes(size) + key.y.to_bytes(size)
    if key.algorithm in FFC_OIDS:
        size = -(-key.bits // 8)
        return b"".join(part.to_bytes(size) for part in (*key.group, key.y)) + key.raw
    return key.raw


def _key(algorithm: str, curve: str, bits: int, numbers: bytes, witness: Witness) -> PublicKey:
    n = e = x = y = 0
    group, raw = (0, 0, 0), b""
    if algorithm == "rsa":
        size = -(-bits // 8)
        n, e = int.from_bytes(numbers[:size]), int.from_bytes(numbers[size:])
    elif algorithm == "ec":
        size = FIELD_BYTES[curve]
        x, y = int.from_bytes(numbers[:size]), int.from_bytes(numbers[size:])
    elif algorithm in FFC_OIDS:
        size = -(-bits // 8)
        p, q, g, y = (int.from_bytes(numbers[at : at + size]) for at in range(0, 4 * size, size))
        group, raw = (p, q, g), numbers[4 * size :]
    else:
        raw = numbers
    return PublicKey(
        algorithm=algorithm,
        curve=curve,
        bits=bits,
        n=n,
        e=e,
        x=x,
        y=y,
        group=group,
        raw=raw,
        witness=witness,
    )
