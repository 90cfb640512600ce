"""The primes of an RSA key whose file lies in rows of equal size, in no order.

A row is written in hexadecimal digits, for every other line of ssh-keygen's begins within a byte.
The first one says how long the modulus is, and so where all numbers stand, but for the lengths of d
and of a coefficient before the primes, of which a few are tried. Headers tell the rows in which p
and n end. From there p is put together from its low end, a row at a time: whatever is known of two
of p, q and n tells as much of the third, whose next row is then known by its own end, or there is
none. That takes as many steps as there are rows, for each row of p, and never more than a stated
count of them; no order of the rows is asked for.
"""

import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from scanner.detect.algebra import effort

E = 65537
"""The exponent that is looked for; all others are rare."""

STATES = 4096
"""Ways in which rows are put together at a time, at most."""

BEGINNINGS = 4096
"""Ways in which rows may be those in which p and n end, at most."""

_TAIL = 16
"""Digits at the end of a row by which it is looked up."""

_LEAST = 2
"""Digits of a row that must be known for it to be told from others: few end in any two."""

_EACH = 20
"""Microseconds of a step: a product, a quotient and what is compared."""

_PRIMES = range(64, 512 + 1)
"""Bytes of a prime: of moduli of 1024 bits and more."""

_VERSION, _RSA, _EXPONENT = "020100", "300d06092a864886f70d0101010500", "0203010001"
"""What stands in DER before the numbers, and behind the modulus."""

_OPENSSH = (b"openssh-key-v1\0" + 2 * b"\0\0\0\x04none" + b"\0\0\0\0\0\0\0\x01").hex()
_NAME, _MPINT = "00000007" + b"ssh-rsa".hex(), "00000003010001"
"""How a file of OpenSSH begins (PROTOCOL.key), and what it has of each key beside its numbers."""

_LENGTH, _CHECKED = 8, 2 * (4 + 8)
"""Digits of a length there, and of the one of the private part with what checks its password."""

Row = TypeVar("Row", bytes, str)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _Layout:
    """Where the numbers stand in the object: first digit and the one behind the last."""

    n: tuple[int, int]
    p: tuple[int, int]
    q: tuple[int, int]
    known: tuple[tuple[int, str], ...]
    """What stands where in the object."""
    copies: tuple[int, ...]
    """Where n ends, each time that it is there."""


_P, _Q, _N = range(3)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class _State:
    """Low digits of p, q and n."""

    numbers: tuple[int, ...]
    known: tuple[int, ...]
    """How many digits of each there are."""

    def product(self) -> tuple[int, int]:
        """Return the digits of n that p and q tell, and how many they are."""
        known, (p, q, _) = min(self.known[:2]), self.numbers
        return p * q % _power(known), known

    def quotient(self) -> tuple[int, int]:
        """Return the digits of q that n and p tell, and how many they are."""
        known, (p, _, n) = min(self.known[::2]), self.numbers
        return n * pow(p, -1, _power(known)) % _power(known), known

    def longer(self, which: int, digits: str) -> "_State":
        """Return the same with more digits of one number."""
        return self.to(which, self.known[which], self.numbers[which], digits)

    def to(self, which: int, start: int, told: int, digits: str) -> "_State":
        """Return the same with a number that is as told below ``start``, and digits from there."""
        numbers, known = [*self.numbers], [*self.known]
        numbers[which] = told % _power(start) | int(digits, 16) << 4 * start
        known[which] = start + len(digits)
        return _State(tuple(numbers), tuple(known))


def factors(first: str, rows: Sequence[str]) -> tuple[int, int] | None:
    """Return both primes, in the order of the file.

    Rows are as long as the first one. Whoever asks may be sure of p*q = n: the digits of n stand in
    the first row and in others.
    """
    there = set(rows)
    for layout in (*_layouts(first), *_openssh(first), *_putty(first)):
        for p, q in _lifted(first, rows, layout):
            n = p * q
            size = layout.n[1] - layout.n[0]
            whole = f"{n:0{size}x}"
            held = _within(whole, layout.n[0], len(first))
            begins = whole.startswith(first[layout.n[0] :])
            if n.bit_length() == 4 * size and begins and there.issuperset(held):
                return p, q
    return None


def written(p: int, q: int, e: int = E) -> Iterator[str]:
    """Yield the numbers of the key as DER, OpenSSH and PuTTY have them, and its public half.

    With d modulo either order of the group.
    """
    n, order, inverse = p * q, (p - 1) * (q - 1), pow(q, -1, p)
    for d in (pow(e, -1, order), pow(e, -1, order // math.gcd(p - 1, q - 1))):
        yield "".join(map(_integer, (n, e, d, p, q, d % (p - 1), d % (q - 1), inverse)))
        yield "".join(map(_mpint, (n, e, d, inverse, p, q)))
        yield "".join(map(_mpint, (d, p, q, inverse)))
    yield _mpint(n)


def _integer(value: int) -> str:
    size = value.bit_length() // 8 + 1
    return _header(size) + value.to_bytes(size, "big").hex()


def _mpint(value: int) -> str:
    size = value.bit_length() // 8 + 1
    return f"{size:08x}" + value.to_bytes(size, "big").hex()


def fits(row: Row, index: int, known: Iterable[tuple[int, Row]]) -> bool:
    """Tell whether a row may be that of an index, by what is known to stand in it."""
    start = index * len(row)
    for at, raw in known:
        low, high = max(at, start), min(at + len(raw), start + len(row))
        if low < high and row[low - start : high - start] != raw[low - at : high - at]:
            return False
    return True


def _header(size: int) -> str:
    """Return the header of an INTEGER with so many bytes of content."""
    if size < 0x80:
        return f"02{size:02x}"
    return f"0281{size:02x}" if size < 0x100 else f"0282{size:04x}"


def _layouts(first: str) -> Iterator[_Layout]:
    """Yield where the numbers may stand, by the first row: PKCS#1, or PKCS#8 with it inside."""
    at = 8 + len(_VERSION)
    if first[:4] != "3082" or first[8:at] != _VERSION:
        return
    if first.startswith(_RSA, at):
        at += len(_RSA) + 8 + 8 + len(_VERSION)
        if first[at - len(_VERSION) : at] != _VERSION:
            return
    sizes = (size for size in _PRIMES if first.startswith(_header(2 * size + 1) + "00", at))
    for size in sizes:
        n = at + len(_header(2 * size + 1)) + 2
        end = n + 4 * size
        prime = _header(size + 1) + "00"
        for length in range(2 * size + 1, 2 * size - 3, -1):
            exponent = _EXPONENT + _header(length)
            d = end + len(exponent) + 2 * length
            p = d + len(prime)
            q = p + 2 * size + len(prime)
            known = ((end, exponent), (d, prime), (p + 2 * size, prime), (q + 2 * size, "02"))
            yield _Layout((n, end), (p, p + 2 * size), (q, q + 2 * size), known, (end,))


def _openssh(first: str) -> Iterator[_Layout]:
    """Yield where the numbers may stand in a file of OpenSSH: n, e, d, 1/q modulo p, p and q."""
    at, name = len(_OPENSSH), len(_OPENSSH) + _LENGTH
    if not first.startswith(_OPENSSH) or not (_NAME + _MPINT).startswith(first[name:]):
        return
    public = int(first[at:name], 16)
    size = (public - len(_NAME + _MPINT) // 2 - 4 - 1) // 2
    if size not in _PRIMES:
        return
    other = name + 2 * public
    n = other + _CHECKED + len(_NAME) + _LENGTH + 2
    end, prime = n + 4 * size, f"{size + 1:08x}00"
    lengths = range(2 * size + 1, 2 * size - 2, -1), range(size + 1, size - 2, -1)
    for length, short in itertools.product(*lengths):
        exponent = _MPINT + f"{length:08x}"
        inverse = end + len(exponent) + 2 * length
        p = inverse + _LENGTH + 2 * short + len(prime)
        q = p + 2 * size + len(prime)
        known = (
            (end, exponent),
            (inverse, f"{short:08x}"),
            (p - len(prime), prime),
            (q - len(prime), prime),
            (q + 2 * size, "000000"),
        )
        yield _Layout((n, end), (p, p + 2 * size), (q, q + 2 * size), known, (end, other))


def _putty(first: str) -> Iterator[_Layout]:
    """Yield where the numbers may stand in the halves of a file of PuTTY: e and n; d, p, q.

    The private half begins a row of its own, behind zeros that fill the last one of the public.
    """
    at, width = len(_NAME), len(first)
    if not first.startswith(_NAME):
        return
    at += _LENGTH + 2 * int(first[at : at + _LENGTH], 16)
    size = (int(first[at : at + _LENGTH] or "0", 16) - 1) // 2
    if size not in _PRIMES:
        return
    n = at + _LENGTH + 2
    end, prime = n + 4 * size, f"{size + 1:08x}00"
    other = -(-end // width) * width
    for length in range(2 * size + 1, 2 * size - 2, -1):
        p = other + _LENGTH + 2 * length + len(prime)
        q = p + 2 * size + len(prime)
        known = (
            (end, "0" * (other - end)),
            (other, f"{length:08x}"),
            (p - len(prime), prime),
            (q - len(prime), prime),
            (q + 2 * size, "0000"),
        )
        yield _Layout((n, end), (p, p + 2 * size), (q, q + 2 * size), known, (end,))


def _part(row: str, index: int, number: tuple[int, int]) -> str:
    """Return the digits of a number that stand in a row."""
    start = index * len(row)
    return row[max(number[0] - start, 0) : max(number[1] - start, 0)]


def _lifted(first: str, rows: Sequence[str], layout: _Layout) -> Iterator[tuple[int, int]]:
    """Yield the primes whose product is the modulus as far as rows tell."""
    width, size = len(first), layout.p[1] - layout.p[0]
    tails = defaultdict(list)
    for row in rows:
        tails[row[-_TAIL:]].append(row)

    @functools.cache
    def parts(index: int, number: tuple[int, int]) -> list[str]:
        return [_part(row, index, number) for row in rows if fits(row, index, layout.known)]

    states = list(itertools.islice(_begun(parts, layout, width), STATES))
    while states:
        effort.iterations(len(states), _EACH)
        before, states = states, []
        for state in before:
            longer = _followed(state, tails, layout, width)
            of_p, _, of_n = state.known
            if longer is not None:
                states += longer
            elif of_p < size:
                which, number = (_P, layout.p) if of_p <= of_n else (_N, layout.n)
                index = (number[1] - 1 - state.known[which]) // width
                states += [state.longer(which, digits) for digits in parts(index, number)]
            elif of_n >= size:
                yield state.numbers[_P], state.quotient()[0] % _power(size)
            if len(states) > STATES:
                return


def _begun(
    parts: Callable[[int, tuple[int, int]], list[str]], layout: _Layout, width: int
) -> Iterator[_State]:
    """Yield what the rows say in which p and n end, and q where the others tell too little of it.

    The row in which q ends may be the last line, which is shorter, and not looked for.
    """
    numbers = (layout.p, layout.q, layout.n)
    ends = [(number[1] - 1) // width for number in numbers]
    if ends[2] == 0:
        return
    of_p, of_q, of_n = map(parts, ends, numbers)
    if len(of_p) * len(of_n) > BEGINNINGS:
        return
    for p, n in itertools.product(of_p, of_n):
        state = _State((int(p, 16), 0, int(n, 16)), (len(p), 0, len(n)))
        if not state.numbers[_P] & 1:
            continue
        q, known = state.quotient()
        if len(layout.copies) > 1 or known >= _behind(layout.q[1], width) + _LEAST:
            yield state
        else:
            agree = (digits for digits in of_q if not (int(digits, 16) ^ q) % _power(known))
            yield from (state.longer(_Q, digits) for digits in agree)


def _behind(end: int, width: int) -> int:
    """Return the digits in the last row of a number, which it may share with others."""
    return (end - 1) % width + 1


def _followed(
    state: _State, tails: Mapping[str, Sequence[str]], layout: _Layout, width: int
) -> list[_State] | None:
    """Return a state with each row of n or q to which what it knows leads; None if to no number."""
    q, known = state.quotient()
    if (q ^ state.numbers[_Q]) % _power(min(known, state.known[_Q])):
        return []
    for which, start, size, told, known in _told(state, layout, width):
        room = size - start
        count = min(known - start, width, room)
        if count >= _LEAST:
            digits = f"{(told >> 4 * start) % _power(count):0{count}x}"
            return [state.to(which, start, told, row[-room:]) for row in _ending(tails, digits)]
    return None


def _told(state: _State, layout: _Layout, width: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield what tells a row of n or q: which, its first digit there, the size, and all digits.

    n is told by the other of its copies, whose rows begin elsewhere in it, and by p and q.
    """
    size, (_, of_q, of_n) = layout.p[1] - layout.p[0], state.known
    for end in layout.copies:
        start = _behind(end, width)
        start += max(of_n - start, 0) // width * width
        if start < of_n < 2 * size:
            yield _N, start, 2 * size, state.numbers[_N], of_n
    if of_n < 2 * size:
        yield _N, of_n, 2 * size, *state.product()
    start = of_q or _behind(layout.q[1], width)
    if start < size:
        yield _Q, start, size, *state.quotient()


def _ending(tails: Mapping[str, Sequence[str]], digits: str) -> list[str]:
    """Return the rows that end in digits."""
    if len(digits) >= _TAIL:
        return [row for row in tails.get(digits[-_TAIL:], ()) if row.endswith(digits)]
    return [row for tail, rows in tails.items() if tail.endswith(digits) for row in rows]


def _power(digits: int) -> int:
    return 1 << 4 * digits


def _within(number: str, start: int, width: int) -> list[str]:
    """Return the rows that lie wholly inside of a number which begins at ``start``."""
    return [
        number[at - start : at - start + width]
        for at in range(-(-start // width) * width, start + len(number) - width + 1, width)
    ]
