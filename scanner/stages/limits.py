"""How much of what is written in a dump is examined: enough for any process, and not without end.

Limits are counts, of keys, of bytes that were read and of what arithmetic costs by a table, and no
clock: the same dump gives the same report on any machine. What is beyond them is a fault, and the
scan is no ``pass``. Certificates and public keys have no limit of their number: they bear witness
against the others.
"""

from collections import Counter
from collections.abc import Iterator

from scanner.detect.algebra.effort import Bound
from scanner.dump.space import Memory
from scanner.model import Fault
from scanner.rules import Rule

MOST = {"private-key": 1 << 14, "encrypted-key": 1 << 14, "symmetric-key": 100_000}
"""Keys of a dump that are told, the first of each kind of rule: each takes 1 kB of report, more of
memory, and its time. As many private keys are traced, as many schedules told."""

MOST_READ, MOST_TIMES, MOST_TOGETHER = 1 << 29, 4, 2
"""Bytes that the candidates of one rule of secrets may read: so many, or the dump so many times;
and how many times as much all rules together. A text that announces a key every fifty bytes, each
looked at up to its end, has no end, and it may announce keys of every kind. Of 1.5 GB of the memory
of ordinary programs all rules read 33 MB."""

MOST_EFFORT = 60_000_000
"""Microseconds, by the table of ``effort``, spent on numbers that may be a key: 200,000 scalars of
P-521, or fifty exponents of 8192 bits. What is cheaper than what is left goes on."""


class Limits:
    """How many keys were told of each kind of rule, and what looking for them cost."""

    __slots__ = (
        "_before",
        "_bound",
        "_dear",
        "_left",
        "_memory",
        "_most",
        "_taken",
        "_together",
        "_told",
    )

    def __init__(self, memory: Memory, bound: Bound) -> None:
        self._memory, self._bound = memory, bound
        self._before = memory.taken
        self._most = max(MOST_READ, MOST_TIMES * memory.map.file_size)
        self._taken: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._left = self._dear = self._together = 0

    def forbid(self, rule: Rule) -> bool:
        """Tell whether no candidate of a rule is examined any more, and count it then."""
        if rule.kind not in MOST:
            return False
        if self._told[rule.kind] >= MOST[rule.kind]:
            self._left += 1
            return True
        if self._taken[rule.id] > self._most or self._together > MOST_TOGETHER * self._most:
            self._dear += 1
            return True
        return False

    def tell(self, rule: Rule) -> None:
        """Count a key."""
        self._told[rule.kind] += 1

    def read(self, rule: Rule) -> None:
        """Count what was read since the last time."""
        count, self._before = self._memory.taken - self._before, self._memory.taken
        self._taken[rule.id] += count
        self._together += count if rule.kind in MOST else 0

    def faults(self) -> Iterator[Fault]:
        """Yield what was not done."""
        if self._left:
            text = f"Too many keys stand in the dump: {self._left} candidates were not examined."
            yield Fault(code="limit-keys", text=text)
        if self._dear:
            text = f"Candidates are too many and too long: {self._dear} were not examined."
            yield Fault(code="limit-read", text=text)
        if self._bound.refused:
            text = f"Numbers are too many to check: {self._bound.refused} were left undecided."
            yield Fault(code="limit-effort", text=text)
