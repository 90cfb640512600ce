"""Heaps of Java and JavaScript, and memory in hex: what is opened, and what is cut."""

import base64
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import heaps, keys
from fixtures.encodings import pkcs8_der
from scanner import dump
from scanner.dump import source
from scanner.dump.archives import erlang, heapsnapshot, hextext
from scanner.model import Layout
from tests.dump.dump_bytes import file_of
from tests.dump.opening import codes, judged, memory, opened, verdict

STACK = bytes(range(256)) * 5
HEAP = [(1, b"12345678name"), (1, b"12345678other"), (0x1C, b"segment" * 9), (0x2C, b"")]


def layout_of(data: bytes) -> Layout:
    """Read a dump."""
    with file_of(data) as file:
        return dump.read_layout(file)


@pytest.mark.parametrize("width", [4, 8])
def test_hprof(width: int) -> None:
    """Records of a heap dump are named; runs of a kind are one."""
    layout = layout_of(heaps.hprof(HEAP, width=width))
    assert layout.faults == ()
    assert [label.name for label in layout.labels] == ["header", "stream strings", "stream heap"]
    assert (layout.format, layout.pointer_size, layout.byte_order) == ("hprof", width, "big")


def test_old_hprof() -> None:
    """A heap in one record needs no end; of a size of zero it is the last record."""
    old = heaps.hprof([(1, b"12345678name"), (0x0C, b"heap" * 9)], version="1.0.1")
    assert layout_of(old).faults == ()
    assert layout_of(heaps.hprof([(0x0C, b"")]) + b"what the size does not count").faults == ()


def test_what_trails_a_heap_dump() -> None:
    """Bytes behind the end of the heap, as unpacking gzip leaves them, are no damage."""
    for trail in (b"java_pid1.hprof\0", b"\0"):
        assert layout_of(heaps.hprof(HEAP) + trail).faults == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (heaps.hprof(HEAP)[:20], "damaged"),
        (heaps.hprof(HEAP)[:40], "truncated"),
        (heaps.hprof(HEAP)[:70], "truncated"),
        (heaps.hprof([]), "truncated"),
        (heaps.hprof(HEAP[:1]), "truncated"),
        (heaps.hprof(HEAP[:-1]), "truncated"),
        (heaps.hprof([(1, b"x"), (0x99, b"y")]), "damaged-table"),
        (heaps.hprof(HEAP, width=3), "damaged-table"),
        (b"0SECTION       TITLE subcomponent dump routine\r\n", "truncated"),
    ],
)
def test_damaged(data: bytes, code: str) -> None:
    """What is cut or of no known kind is a fault."""
    assert code in {fault.code for fault in layout_of(data).faults}


def test_javacore() -> None:
    """A javacore that ends as one may pass."""
    text = b"0SECTION       TITLE subcomponent dump routine\r\n1TISIGINFO\r\n"
    layout = layout_of(text + b"NULL           ---------------------- END OF DUMP -----\r\n")
    assert (layout.format, layout.faults) == ("javacore", ())


def test_microdump() -> None:
    """Rows of a stack are joined; the context follows them."""
    data = heaps.microdump([(0x7000, STACK), (0x9000, b"other" * 10)])
    found, rest, [(name, core, layout)] = opened(data)
    assert found.faults == ()
    assert (found.archive, found.dump, name) == ("microdump", True, "memory")
    assert memory(core, layout) == [(0x7000, STACK), (0x9000, b"other" * 10)]
    assert (layout.arch, layout.faults) == ("arm64", ())
    assert core.endswith(b"\x01\x02")
    assert data in rest


def test_rows_that_a_log_lost() -> None:
    """A microdump that lacks a row, or its end, is a fault."""
    lines = heaps.microdump([(0x7000, STACK)]).splitlines(keepends=True)
    assert codes(opened(b"".join(lines[:4] + lines[5:]))[0]) == {"truncated-archive"}
    assert codes(opened(b"".join(lines[:-1]))[0]) == {"truncated-archive"}


@pytest.mark.parametrize("row", [b": S 0", b": S 0000", b": C 01"])
def test_rows_that_cannot_be_read(row: bytes) -> None:
    """A row that a digit is missing of, or whose promise is damaged, is a fault."""
    data = heaps.microdump([(0x7000, STACK)])
    at = data.index(b"\n", data.index(row)) - 1
    assert "corrupt-member" in codes(opened(data[:at] + b"x" + data[at + 1 :])[0])


@pytest.mark.parametrize("width", [4, 8])
def test_tombstone(width: int) -> None:
    """Words of a tombstone are turned round."""
    found, _, [(_, core, layout)] = opened(heaps.tombstone([(0x12345678, STACK)], width=width))
    assert found.faults == ()
    assert memory(core, layout) == [(0x12345678, STACK)]


def test_hs_err() -> None:
    """Words of an error log are turned round; a log without an end is a fault."""
    data = heaps.hs_err((0x7F5B2C1FE8E0, STACK))
    found, _, [(_, core, layout)] = opened(data)
    assert found.faults == ()
    assert memory(core, layout) == [(0x7F5B2C1FE8E0, STACK)]
    assert codes(opened(data[:-6])[0]) == {"truncated-archive"}


def test_strings_of_a_snapshot() -> None:
    """Strings come out as text, and base64 in them as bytes, even where it was cut."""
    secret = bytes(range(200))
    pem = "-----BEGIN THING-----\n" + base64.encodebytes(secret).decode()
    url = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    data = heaps.heapsnapshot(["", 'say "it"\\', "\ud800 alone", pem[:130], url])
    found, rest, dumps = opened(data)
    assert found.faults == ()
    assert (found.archive, found.dump, dumps) == ("heapsnapshot", True, [])
    assert b'say "it"\\\0' in rest
    assert (pem[:130].encode() + b"\0" + secret[:70]) in rest
    assert secret + bytes(8) in rest
    assert rest.endswith(data)


@pytest.mark.parametrize("cut", [30, 200, 250, 265])
def test_a_snapshot_that_is_cut(cut: int) -> None:
    """A snapshot without its strings, or without their end, is a fault."""
    data = heaps.heapsnapshot(["one", "two", "three"] * 9)
    assert codes(opened(data[:cut])[0]) == {"truncated-archive"}


@limits(max_examples=30, deadline=None)
@given(st.lists(st.text(), max_size=8), st.integers(2, 40))
def test_any_strings(strings: list[str], step: int) -> None:
    """Whatever the strings are and however they are read, they come out as they went in."""
    with pytest.MonkeyPatch.context() as patch, file_of(heaps.heapsnapshot(strings)) as file:
        patch.setattr(heapsnapshot, "CHUNK", step)
        archive = heapsnapshot.Archive(file)
        start = heapsnapshot._find(archive)
        assert start is not None
        found = list(heapsnapshot._strings(archive, start))
    assert found == [text.encode("utf-8", "surrogatepass") for text in strings]
    assert archive.faults == []


def test_many_strings() -> None:
    """Short strings come out many at a time, what base64 in them decodes to behind each."""
    secret = bytes(range(60))
    words = [f"a string, number {number} of many" for number in range(100_000)]
    words[70_000] = base64.b64encode(secret).decode()
    with file_of(heaps.heapsnapshot(words)) as file:
        (member,) = heapsnapshot.read(heapsnapshot.Archive(file))
        pieces = list(member.chunks)
    words.insert(70_001, secret.decode() + "\0" * 7)
    assert b"".join(pieces) == "".join(word + "\0" for word in words).encode()
    assert len(pieces) < 10


TERMS = [1 << 2047, bytes(range(40)), "a string of Erlang", 7, b"", "short"]
WRITTEN, OLD = heaps.erl_crash_dump(TERMS), heaps.erl_crash_dump(TERMS, version="0.1")


@pytest.mark.parametrize("version", ["0.3", "0.5"])
def test_terms_of_erlang(version: str) -> None:
    """Integers, binaries and strings come out as bytes, between zeros, in order."""
    shared = b"shared" * 3
    data = heaps.erl_crash_dump(TERMS, version=version, shared=[shared])
    found, rest, dumps = opened(data)
    assert found.faults == ()
    assert (found.archive, found.dump, dumps) == ("erl_crash_dump", True, [])
    assert rest.endswith(data)
    values = rest[: -len(data)]
    assert len(values) % 16 == 0
    number, text = (1 << 2047).to_bytes(256, "big"), b"a string of Erlang"
    parts = [number, bytes(range(40)), text, b"\7", b"", text, shared]
    assert values == bytes(16) + b"".join(part + bytes(16 + -len(part) % 16) for part in parts)


def test_keys_of_an_erlang_process() -> None:
    """An RSA key whose numbers are printed, and none else, is proved, in bytes of its own."""
    key = keys.rsa_key(2048)
    (report,) = judged(heaps.erl_crash_dump([key.n, 65537, key.p, key.q]))
    (finding,) = report.findings
    assert (finding.fingerprint.value, finding.proof) == (key.spki_sha256, "p*q = n")
    assert verdict(heaps.erl_crash_dump([pkcs8_der(key)])) == "blocked"
    assert verdict(heaps.erl_crash_dump(["a"], shared=[pkcs8_der(key)])) == "blocked"
    assert verdict(heaps.erl_crash_dump(TERMS)) == "pass"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (WRITTEN[:-5], "truncated-archive"),
        (WRITTEN[:-5] + b"=abort:CRASH DUMP SIZE LIMIT REACHED\n", "truncated-archive"),
        (WRITTEN[:-5] + b"=abort:\n=end\n", "truncated-archive"),
        (heaps.erl_crash_dump(TERMS, version="0.6"), "unopened"),
        (WRITTEN.replace(b":Yh28:", b":Yh29:"), "corrupt-member"),
        (WRITTEN.replace(b":Yh28:", b":Yh28:="), "corrupt-member"),
        (OLD.replace(b":Yh28:", b":Yh28:0"), "corrupt-member"),
    ],
)
def test_a_crash_dump_that_is_cut(data: bytes, code: str) -> None:
    """A crash dump without its end, of an unknown version or with half a binary is a fault."""
    assert codes(opened(data)[0]) == {code}


@limits(max_examples=30, deadline=None)
@given(
    st.lists(
        st.integers(1 << 60, 1 << 90)
        | st.binary(min_size=1, max_size=80)
        | st.text(st.characters(max_codepoint=255), min_size=8, max_size=60),
        max_size=6,
    ),
    st.sampled_from(["0.2", "0.5"]),
    st.integers(5, 60),
)
def test_any_terms(terms: list[int | bytes | str], version: str, step: int) -> None:
    """Whatever the terms are and in what pieces lines are read, they come out as they went in."""
    with (
        pytest.MonkeyPatch.context() as patch,
        file_of(heaps.erl_crash_dump(terms, version=version)) as file,
    ):
        patch.setattr(source, "CHUNK", step)
        patch.setattr(erlang, "MAX_LINE", 3 * step + 120)
        archive = erlang.Archive(file)
        found = b"".join(data or b"|" for data in erlang._values(archive))
    assert archive.faults == []
    kept: list[bytes] = []
    for term in terms:
        if isinstance(term, int):
            kept.append(term.to_bytes(-(-term.bit_length() // 8), "big"))
        else:
            kept.append(term if isinstance(term, bytes) else term.encode("latin-1"))
    kept += [term.encode("latin-1") for term in terms if isinstance(term, str)]
    assert found == b"".join(data + b"|" for data in kept)


@limits(max_examples=30, deadline=None)
@given(
    st.sampled_from(
        [
            heaps.hprof(HEAP),
            heaps.microdump([(0x7000, STACK)]),
            heaps.tombstone([(0x7000, STACK)]),
            heaps.heapsnapshot(["one", "two"]),
            heaps.erl_crash_dump(TERMS, shared=[b"shared"]),
        ]
    ),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=8),
)
def test_any_damage(data: bytes, changes: list[tuple[int, int]]) -> None:
    """Whatever is overwritten, nothing raises."""
    out = bytearray(data)
    for at, value in changes:
        out[at % len(out)] = value
    opened(bytes(out))
    layout_of(bytes(out))


def test_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a byte each take memory as their bytes do; runs of them have an end."""
    line = b"*** " * 16 + b"***\n"
    rows = b"".join(b"%08x 00\n" % (0x1000 + index + index // 5000) for index in range(100_000))
    tracemalloc.start()
    try:
        found, _, [(_, data, layout)] = opened(line + rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.faults == ()
    assert sum(len(part) for _, part in memory(data, layout)) == 100_000
    assert peak < 4 * len(rows) + (8 << 20)
    monkeypatch.setattr(hextext, "MAX_RUNS", 10)
    found, _, [(_, data, layout)] = opened(line + rows)
    assert codes(found) == {"limit-members"}
    assert len(memory(data, layout)) == 10
