"""Kerberos keytabs and credential caches."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import secrets
from scanner import rules
from scanner.detect import anchors
from scanner.detect.programs import kerberos
from scanner.model import Candidate, Confidence
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "kerberos")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))

KEYTAB = next(k for k, rule in enumerate(RULES) if rule.id == "kerberos-keytab")


def find(data: bytes) -> list[Candidate]:
    """Run the rules over the bytes."""
    return [
        found.candidate
        for rule, offset in SWEEPER.sweep(data)
        for found in kerberos.examine(Bytes(data), 0, offset, RULES[rule])
    ]


@pytest.mark.parametrize("behind", [bytes(64), b"\xee" * 64, b""])
def test_a_keytab(behind: bytes) -> None:
    """A keytab is one finding with counts and no names; what stands behind it is not its own."""
    data = secrets.keytab()
    (said,) = find(b"\xee" * 5 + data + behind)
    assert said.encoding == "Kerberos keytab, 3 keys of 2 principals"
    assert (said.kind, said.bits, said.confidence) == ("symmetric-key", 256, Confidence.STRUCTURE)
    assert [(p.offset, p.size) for p in said.places] == [(5, len(data))]


@pytest.mark.parametrize("holes", [(8,), (60, 300, 16)])
def test_a_keytab_that_begins_with_holes(holes: tuple[int, ...]) -> None:
    """Entries that were removed leave holes, whose sizes are negative."""
    data = secrets.keytab()
    lead = b"".join((-size & 0xFFFFFFFF).to_bytes(4, "big") + bytes(size) for size in holes)
    (said,) = find(bytes(8) + data[:2] + lead + data[2:] + bytes(64))
    assert said.encoding == "Kerberos keytab, 3 keys of 2 principals"


class Counted(Bytes):
    """Memory that counts what is read."""

    read = 0

    def clip(self, space: int, offset: int, size: int, /) -> bytes:
        """Return what of a range lies inside."""
        found = super().clip(space, offset, size)
        self.read += len(found)
        return found


def test_a_hole_without_entries_costs_a_few_bytes() -> None:
    """Of CPython's tables of a dictionary's keys one in many begins so, in each object of a class.

    Each had been read on for 64 KiB: such a process ended as incomplete.
    """
    table = bytes.fromhex("03ffff06ff01ff04 0502ffffff00ff48 f1a4000000000050 e6277ce77f000010")
    memory = Counted(table * 4096)
    assert list(SWEEPER.sweep(table)) == [(KEYTAB, 8)]
    assert not list(kerberos.examine(memory, 0, 8, RULES[KEYTAB]))
    assert memory.read < 64


@pytest.mark.parametrize("version", [3, 4])
def test_a_cache(version: int) -> None:
    """A cache is one finding that counts session keys, and no settings."""
    data = secrets.ccache(version)
    (said,) = find(b"\xee" * 5 + data + bytes(40))
    assert said.encoding == "Kerberos credential cache, 1 key of 1 principal"
    assert [(p.offset, p.size) for p in said.places] == [(5, len(data))]


def test_a_cache_without_a_header() -> None:
    """Version 4 may lack its header, and two tickets that grant others are of one cache."""
    data = secrets.ccache(4)
    data = data[:2] + bytes(2) + data[16:]
    me = secrets.ccache(3)[2:37]
    assert data.count(me) == 3
    second = data[data.rindex(me) :]
    (said,) = find(b"\xee" * 5 + data + second + bytes(40))
    assert said.encoding == "Kerberos credential cache, 2 keys of 1 principal"
    assert [(p.offset, p.size) for p in said.places] == [(5, len(data + second))]


def test_keys_must_fit_their_type() -> None:
    """A key of another size than its type's, of one byte repeated, or cut off, is none."""
    head = b"\x05\x02"
    assert find(head + secrets.keytab_entry(kind=17, size=32)) == []
    assert find(head + secrets.keytab_entry(kind=99, size=32)) == []
    entry = secrets.keytab_entry()
    assert find(head + entry[:-8]) == []
    assert find(head + entry.replace(secrets.noise(32, "host"), bytes(32))) == []
    assert find(secrets.ccache(ticket=b"\x60")) == []
    assert find(secrets.ccache()[:-100]) == []


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([secrets.keytab, secrets.ccache, lambda: secrets.ccache(3)]),
    st.integers(0, 300),
    st.binary(max_size=200),
)
def test_arbitrary_bytes_raise_nothing(made: object, cut: int, noise: bytes) -> None:
    """Whatever follows, nothing is raised, and no place is larger than what there is."""
    assert callable(made)
    data = made()[:cut] + noise
    for found in kerberos.examine(Bytes(data), 0, 0, RULES[0]):
        assert found.candidate.places[0].size <= len(data)


@pytest.mark.skipif(shutil.which("ktutil") is None, reason="needs MIT's ktutil")
def test_what_ktutil_writes(tmp_path: Path) -> None:
    """The keytab of ktutil is found with all its keys."""
    path = tmp_path / "keytab"
    adds = [
        f"addent -password -p host/server.example@EXAMPLE.ORG -k 2 -e {kind} -s salt\nthrowaway\n"
        for kind in ("aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96")
    ]
    done = subprocess.run(
        ["ktutil"],
        input="".join(adds) + f"wkt {path}\nq\n",
        text=True,
        capture_output=True,
        check=False,
    )
    if not path.exists():
        pytest.skip(f"this ktutil is another one: {done.returncode}")
    (said,) = find(path.read_bytes())
    assert said.encoding == "Kerberos keytab, 2 keys of 1 principal"
    assert said.places[0].size == path.stat().st_size
