"""Envelopes, uploads and entries of the journal: what is in them is opened, the rest is swept."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from fixtures import carriers, keys
from fixtures.encodings import pkcs8_der
from scanner.dump import archives
from scanner.dump.archives import envelope, journal, multipart
from tests.dump import dump_bytes
from tests.dump.opening import codes, opened, verdict

CORE = dump_bytes.elfcore([(0x1000, b"the memory of a core\r\n" * 400, 8800)])
MINI = dump_bytes.minidump(memory=[(0x1000, b"the memory of a minidump" * 200)])
ATTACHMENT = {"type": "attachment", "attachment_type": "event.minidump", "filename": "m.dmp"}
TRACE = {"trace_id": "1" * 32, "public_key": "2" * 32, "environment": "e" * 500}


def in_envelope(name: str, data: bytes) -> bytes:
    """Write an envelope with an event, and a file."""
    event = ({"type": "event"}, b'{"message":"it crashed"}')
    return carriers.envelope([event, ({"type": "attachment", "filename": name}, data)])


def in_upload(name: str, data: bytes) -> bytes:
    """Write an upload with a field, and a file."""
    return carriers.upload([("prod", b"Chrome"), (name, data)])


def in_journal(name: str, data: bytes) -> bytes:
    """Write entries, one of them with a field that is no text."""
    entries = ([("MESSAGE", b"one")], [("MESSAGE", b"two\nlines"), (name, data)], [("A", b"=")])
    return b"".join(map(carriers.entry, entries))


WRITERS: tuple[tuple[str, Callable[[str, bytes], bytes]], ...] = (
    ("envelope", in_envelope),
    ("multipart", in_upload),
    ("journal", in_journal),
)


@pytest.mark.parametrize(("kind", "write"), WRITERS, ids=[kind for kind, _ in WRITERS])
def test_a_dump_within(kind: str, write: Callable[[str, bytes], bytes]) -> None:
    """A dump is one of its own, packed or not, in an archive too; every other byte is kept."""
    for pack in (bytes, gzip.compress, zstandard.compress):
        for dump in (CORE, MINI):
            data = write("COREDUMP", pack(dump))
            found, rest, [(name, inner, _)] = opened(data)
            assert (found.archive, found.faults, name) == (kind, (), "COREDUMP")
            assert inner == dump
            assert len(rest) == len(data) - len(pack(dump))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("sent")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    found, _, [(name, inner, _)] = opened(out.getvalue())
    assert (found.faults, name, inner) == ((), "sent!COREDUMP", MINI)


@pytest.mark.parametrize(("kind", "write"), WRITERS, ids=[kind for kind, _ in WRITERS])
def test_verdicts(kind: str, write: Callable[[str, bytes], bytes]) -> None:
    """A key in a packed dump blocks; without one it passes, and what is not opened never does."""
    key = pkcs8_der(keys.rsa_key(2048))
    keyed = dump_bytes.elfcore([(0x1000, key + bytes(16), len(key) + 16)])
    assert verdict(write("COREDUMP", gzip.compress(keyed))) == "blocked"
    assert verdict(write("COREDUMP", CORE)) == "pass"
    sealed = write("COREDUMP", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(range(256)) * 300)
    assert codes(opened(sealed)[0]) == {"unopened"}, kind


@pytest.mark.parametrize(("kind", "write"), WRITERS, ids=[kind for kind, _ in WRITERS])
def test_cut(kind: str, write: Callable[[str, bytes], bytes]) -> None:
    """What ends within its dump, or before its end, is a fault."""
    data = write("COREDUMP", CORE)
    found, _, dumps = opened(data[: data.index(CORE) + 500])
    assert codes(found) == {"truncated-archive"}, kind
    assert [inner for _, inner, _ in dumps] == [CORE[:500]]


# --- envelopes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [{}, carriers.EVENT, {"sent_at": "2026-01-01T00:00:00Z"}, {**carriers.EVENT, "trace": TRACE}],
)
def test_heads_of_envelopes(head: dict[str, object]) -> None:
    """The first line may be empty, and longer than what a kind is told by."""
    found, _, [(name, inner, _)] = opened(carriers.envelope([(ATTACHMENT, MINI)], head=head))
    assert (found.archive, found.faults, name, inner) == ("envelope", (), "m.dmp", MINI)


def test_first_lines_of_any_length() -> None:
    """Wherever the first bytes are cut, an envelope is told."""
    for size in range(380, 520):
        head = {**carriers.EVENT, "trace": {"public_key": "2" * 32, "release": "r" * (size - 120)}}
        data = carriers.envelope([(ATTACHMENT, MINI)], head=head)
        assert envelope.sniff(data[: archives.HEAD])


def test_items_without_a_length() -> None:
    """An item without a length ends with its line; empty lines may follow the last one."""
    text = b'{"message":"words"}'
    data = carriers.envelope([({"type": "event"}, text), ({"type": "session"}, b"")], sized=False)
    for trail in (b"", b"\n\n\n"):
        found, rest, _ = opened(data + trail)
        assert (found.archive, found.faults) == ("envelope", ())
        assert text in rest


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (in_envelope("a", CORE).replace(b'a","length":', b'a","length":1'), "truncated-archive"),
        (in_envelope("a", CORE).replace(b'"length":24', b'"length":23'), "corrupt-archive"),
        (in_envelope("a", CORE).replace(b'{"type":"att', b'{"kind":"att'), "corrupt-archive"),
        (in_envelope("a", CORE).replace(b'{"type":"att', b'{{"type":"att'), "corrupt-archive"),
        (in_envelope("a", CORE) + b"{" * 9000 + b"\n", "corrupt-archive"),
        (in_envelope("a", CORE) + b"other bytes", "stray-bytes"),
    ],
)
def test_envelopes_that_contradict_themselves(data: bytes, code: str) -> None:
    """What is no item, or not as long as its header says, is a fault, and swept."""
    assert code in codes(opened(data)[0])


# --- uploads ------------------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", [b"abc", b"----WebKitFormBoundary7MA4YWxkTrZu0gW", b"-", b"."])
@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
def test_boundaries(boundary: bytes, line: bytes) -> None:
    """A file may have what looks like the boundary, and goes on."""
    near = line + b"--" + boundary
    files = [MINI + near + b"x" + line + near[:-1] + line + near + b"-", CORE]
    data = carriers.upload([("a", files[0]), ("b", files[1])], boundary=boundary, line=line)
    for whole in (data, data.removesuffix(line)):
        found, _, dumps = opened(whole)
        assert (found.archive, found.faults) == ("multipart", ())
        assert [inner for _, inner, _ in dumps] == files


def test_names_of_parts() -> None:
    """A part is called as its file, else as its field; an empty one is nothing."""
    parts = [('f"; filename="x.dmp', MINI), ("core", CORE), ("empty", b"")]
    _, _, dumps = opened(carriers.upload(parts, fields=[b"Content-Type: application/octet-stream"]))
    assert [name for name, _, _ in dumps] == ["x.dmp", "core"]


def test_encodings_of_parts() -> None:
    """An encoding that tells itself is undone, others are a fault."""
    for name, packed, faults in (
        (b"gzip", gzip.compress(CORE), set()),
        (b"br", b"opaque", {"unsupported"}),
        (b"quoted-printable", b"=00", {"unsupported"}),
    ):
        field = b"content-encoding: " + name
        assert codes(opened(carriers.upload([("a", packed)], fields=[field]))[0]) == faults


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (in_upload("a", CORE)[:-50], "truncated-archive"),
        (in_upload("a", CORE)[:80] + b"a" * 20000, "corrupt-archive"),
        (in_upload("a", CORE) + b"other bytes", "stray-bytes"),
        (
            carriers.upload([("a", MINI), ("b", gzip.compress(CORE) + b"\r\n\r\n")]).replace(
                b'form-data; name="b"\r\n\r\n', b"form-data; name="
            ),
            "corrupt-archive",
        ),
    ],
)
def test_uploads_that_are_cut(data: bytes, code: str) -> None:
    """An upload without its last boundary, or with something behind it, is a fault."""
    assert codes(opened(data)[0]) == {code}


@limits(max_examples=30, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=90), max_size=4), st.integers(1, 40))
def test_any_parts(parts: list[bytes], step: int) -> None:
    """In whatever pieces an upload is read, its parts come out as they went in."""
    parts = [b"\0" + part for part in parts]
    data = carriers.upload([("part", part) for part in [b"one", *parts]], boundary=b"b")
    with pytest.MonkeyPatch.context() as patch, dump_bytes.file_of(data) as file:
        patch.setattr(multipart, "CHUNK", step)
        patch.setattr(multipart, "FIRST", step)
        archive = multipart.Archive(file)
        found = [b"".join(member.chunks) for member in multipart.read(archive)]
    assert (found, archive.faults) == ([b"one", *parts], [])


# --- the journal --------------------------------------------------------------------------------


def test_fields_of_text() -> None:
    """Text of several lines is swept where it stands, whatever the number of its fields."""
    data = b"".join(carriers.entry([("MESSAGE", b"\x1b[31ma\nb%d" % at)]) for at in range(3))
    found, rest, _ = opened(data)
    assert (found.archive, found.faults, rest) == ("journal", (), data)
    for start in (b"__REALTIME_TIMESTAMP=1423944916375353\n", b"__MONOTONIC_TIMESTAMP=5\nA=b\n"):
        assert journal.sniff(start)


def test_long_lines() -> None:
    """A line may be longer than what is looked at together."""
    data = carriers.entry([("A", b"a" * (5 << 20)), ("COREDUMP", CORE), ("B", b"b" * 9000)]) * 2
    found, _, dumps = opened(data)
    assert found.faults == ()
    assert [inner for _, inner, _ in dumps] == [CORE, CORE]


@pytest.mark.parametrize(
    ("behind", "code"),
    [
        (b"COREDUMP=" + gzip.compress(CORE) + b"\n", "corrupt-archive"),
        (b"COREDUMP=" + b"a" * (5 << 20) + b"\0\n", "corrupt-archive"),
        (b"no field\n", "corrupt-archive"),
        (b"A\n" + bytes(8) + b"?\n", "corrupt-archive"),
        (b"A=no end", "truncated-archive"),
        (b"A\n" + b"\xff" * 8 + b"words", "truncated-archive"),
        (b"A\n\1", "truncated-archive"),
    ],
)
def test_entries_that_are_none(behind: bytes, code: str) -> None:
    """What is no field, or no text where text should be, is a fault."""
    assert code in codes(opened(carriers.entry([("A", b"b")]) + behind)[0])


def test_fields_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields are counted, and members too."""
    data = carriers.entry([("A", b"\0"), ("B", b"\n"), ("C", b"\n")])
    assert codes(opened(data)[0]) == set()
    for name, most in (("MAX_FIELDS", 2), ("MAX_MEMBERS", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(journal, name, most)
            assert codes(opened(data)[0]) == {"limit-members"}


@limits(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=90), max_size=6), st.integers(100, 300))
def test_any_fields(values: list[bytes], step: int) -> None:
    """In whatever pieces entries are read, the fields that are no text come out as they went in."""
    data = b"".join(carriers.entry([("A", b"a" * 99), ("FIELD", value)]) for value in values)
    with pytest.MonkeyPatch.context() as patch, dump_bytes.file_of(data) as file:
        patch.setattr(journal, "CHUNK", step)
        patch.setattr(journal, "LEAST", 80)
        archive = journal.Archive(file)
        found = [b"".join(member.chunks) for member in journal.read(archive)]
        told = sum(size for _, size in archive.gaps())
    binary = [value for value in values if set(value) & {*range(9), *range(14, 32)} - {27}]
    assert [value for value in found if value in binary] == binary
    assert (archive.faults, told) == ([], 0)


# --- neither ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}\n{"type": "event"}\n',
        b'{"type":"log","event_id":"1"}\n{"type":"log","event_id":"2"}\n',
        b'{"event_id":"1"}\n{"type":"created","event_id":"2"}\n',
        b'{"event_id": "1", "message": "words"}\n',
        b"{}\n{}\n",
        b"-----BEGIN CERTIFICATE-----\nMIIB\n",
        b"---\nkey: value\n",
        b"--abc\nContent-Type: text/plain\n\nmail\n--abc--\n",
        b"-- a comment\nContent-Disposition: attachment\n",
        b"__CURSOR=\nA=b\n",
        b"PATH=/bin\nHOME=/\n",
        json.dumps({"sdk": {"name": "other"}, "words": "w" * 900}).encode(),
    ],
)
def test_what_is_no_carrier(data: bytes) -> None:
    """Lines of JSON, mail, variables and PEM are text."""
    assert archives.sniff(data[: archives.HEAD]) is None
