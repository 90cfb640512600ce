"""A redacted copy holds none of what was found, is the same dump otherwise, and passes."""

import base64
import bz2
import datetime as dt
import gzip
import hashlib
import lzma
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from fixtures import elfcore, encodings, keys, quantum, real, sealed, xsave
from scanner import dump, published, redact, rules
from scanner.dump import pack, source
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.errors import RedactError, ScannerError
from scanner.model import Fingerprint, Layout, Verdict
from scanner.policy import Ruling
from scanner.policyfile import Allow, Policy
from scanner.progress import Silence
from scanner.redact import Aim, Overwritten, Redaction
from scanner.stages.overwrite import FILL
from tests import readers, remains

KEY = keys.canary()
EC = keys.ec_key("P-256", label="canary")
OTHER = keys.ec_key("P-384")
RULES = rules.load()
PUBLISHED = published.load()
AIM = Aim(ruling=Ruling(), published=PUBLISHED)
PACKERS = {
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


def core(*forms: bytes) -> bytes:
    """Return a core whose memory holds forms, with zeros between."""
    data = b"".join(bytes(4096) + form + bytes(-len(form) % 16) for form in forms)
    return elfcore.write([elfcore.Segment(address=0x7F00_0000_0000, data=data)]).data


def request(path: Path, *, raw: bool = False) -> ScanRequest:
    """Return how the tests scan."""
    return ScanRequest(path=str(path), jobs=1, in_process=True, raw=raw, rules=RULES)


def redacted(path: Path, output: Path, aim: Aim = AIM, *, raw: bool = False) -> Redaction:
    """Redact in this process."""
    return redact.redact(
        request(path, raw=raw),
        str(output),
        aim,
        Silence(),
        before_named=lambda _: None,
    )


def layout(path: Path) -> Layout:
    """Return the tables of a plain dump."""
    with source.open_file(str(path)) as file:
        return dump.read_layout(file)


@pytest.mark.parametrize("name", ["openssl-keeper", "openssl-server-rsa", "windows-capi"])
def test_a_real_dump_passes_and_reads_the_same(tmp_path: Path, name: str) -> None:
    """What was found is overwritten and nothing else; to every reader the tables are the same.

    None of the private values is left, as a search finds that shares no code with the scanner.
    """
    before, after = tmp_path / "before" / "core", tmp_path / "after" / "core"
    before.parent.mkdir()
    after.parent.mkdir()
    before.write_bytes(real.load(name))
    kem = any(key["algorithm"].startswith("ml-kem") for key in real.truth(name)["keys"])
    made = redacted(before, after, replace(AIM, every=kem))  # it does not block
    old, new = before.read_bytes(), after.read_bytes()
    assert len(old) == len(new)
    at = 0
    for start, end in redact.spans(made.overwritten):
        assert old[at:start] == new[at:start]
        assert new[start:end] == bytes((FILL,)) * (end - start)
        at = end
    assert old[at:] == new[at:]
    assert layout(before) == layout(after)
    private = remains.pieces({"secrets": list(private_values(name))})
    assert bool(remains.remains(old, private)) == bool(made.overwritten) == bool(private)
    assert remains.remains(new, private) == []
    assert readers.differing(before, after)[1] == []
    assert [*before.parent.iterdir(), *after.parent.iterdir()] == [before, after]


def private_values(name: str) -> Iterator[dict[str, object]]:
    """Yield the secrets of a real dump as a truth.json has them."""
    for key in real.truth(name)["keys"]:
        recipe = key["recipe"]
        room = quantum if recipe["function"] == "quantum_key" else keys
        made = getattr(room, recipe["function"])(*recipe["arguments"], label=recipe["label"])
        curve = key["curve"].lower().replace("-", "")
        kind = {"rsa": f"rsa-{key['bits']}", "ec": f"ec-{curve}"}.get(key["algorithm"])
        numbers = {"seed": made.seed.hex()} if kind is None else made.private_values()
        digits = {k: v if isinstance(v, str) else f"{v:x}" for k, v in numbers.items()}
        public = {"n": f"{made.n:x}"} if key["algorithm"] == "rsa" else {}
        yield {
            "id": key["name"],
            "kind": kind or key["algorithm"],
            "private": digits,
            "public": public,
        }


@pytest.mark.parametrize(
    "layers", [*((layer,) for layer in pack.LAYERS), ("gzip", "zstd")], ids="-".join
)
def test_layers_are_written_again(tmp_path: Path, layers: tuple[str, ...]) -> None:
    """A compressed dump comes out in the same layers, and holds the redacted bytes."""
    data = core(encodings.pkcs8_pem(EC))
    plain, wrapped = tmp_path / "plain", tmp_path / "wrapped"
    plain.write_bytes(data)
    for layer in reversed(layers):
        data = PACKERS[layer](data)
    wrapped.write_bytes(data)
    redacted(plain, tmp_path / "a")
    made = redacted(wrapped, tmp_path / "b")
    assert made.after is not None
    assert made.after.content.layers == made.before.content.layers == layers
    with source.open_file(str(tmp_path / "a")) as file:
        assert made.after.content.sha256 == source.digest(file)


def test_sixteen_bytes_of_a_number_are_too_many(tmp_path: Path) -> None:
    """Whatever a stretch of a number begins with, 16 bytes of it do not stay: nor text of them."""
    path, output = tmp_path / "core", tmp_path / "copy"
    raw = encodings.little_limbs(KEY.p)
    hexed, wide = raw[::-1].hex().encode(), encodings.utf16(raw[::-1].hex().encode())
    digits = b"".join(struct.pack("<I", KEY.d >> at & (1 << 30) - 1) for at in range(0, 2040, 30))
    cut = [raw[at : at + 16] for at in range(16)]
    cut += [form[at : at + 16] for form in (hexed, digits) for at in range(0, 64, 4)]
    cut += [wide[at : at + 32] for at in range(0, 32, 2)]
    path.write_bytes(core(encodings.pkcs8_pem(KEY), *cut))
    redacted(path, output)
    copy = output.read_bytes()
    assert [piece for piece in cut if piece in copy] == []


def test_what_registers_held_together_may_go(tmp_path: Path) -> None:
    """Registers that are overwritten hold nothing together; that is no change of the tables."""
    before, after = tmp_path / "before", tmp_path / "after"
    data = xsave.rsa_core(keys.rsa_key(2048)).data
    before.write_bytes(data)
    after.write_bytes(data.replace(keys.rsa_key(2048).qinv.to_bytes(128, "big")[-64:], bytes(64)))
    assert layout(before).joined != layout(after).joined
    assert redact.shape(layout(before)) == redact.shape(layout(after))


def test_all_that_is_packed_with_a_key_goes(tmp_path: Path) -> None:
    """Of a gzip member that holds a key nothing is left, in base64 neither."""
    packed = [PACKERS["gzip"](encodings.pkcs8_pem(key)) for key in (EC, OTHER)]
    forms = packed[0], base64.b64encode(base64.b64encode(packed[1]))
    path, output = tmp_path / "core", tmp_path / "redacted"
    path.write_bytes(core(*forms))
    made = redacted(path, output)
    assert [one.size for one in made.overwritten] == [len(form) for form in forms]
    assert {one.rule for one in made.overwritten} == {"packed-private-key"}
    assert made.after is not None
    assert made.after.verdict is Verdict.PASS


def test_holes_stay_holes(tmp_path: Path) -> None:
    """Long zeros take no room in the copy."""
    path, output = tmp_path / "core", tmp_path / "copy"
    path.write_bytes(core(encodings.pkcs8_pem(EC), bytes(8 << 20), b"end"))
    redacted(path, output)
    assert output.stat().st_size == path.stat().st_size
    blocks = getattr(output.stat(), "st_blocks", 0)
    assert blocks * 512 < 1 << 20


def wrapped_in_a_zip(data: bytes, path: Path) -> None:
    """Put a dump into an archive."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("core", data)


def with_a_table_over_the_key(data: bytes, path: Path) -> None:
    """Let the section headers of a core lie where its key lies."""
    at = data.index(b"-----BEGIN")
    made = bytearray(data)
    struct.pack_into("<Q", made, 40, at)  # e_shoff
    struct.pack_into("<HH", made, 58, 64, 2)  # e_shentsize, e_shnum
    path.write_bytes(made)


@pytest.mark.parametrize(
    ("make", "fragment"),
    [
        (wrapped_in_a_zip, "archive"),
        (with_a_table_over_the_key, "tables"),
        (lambda data, path: path.write_bytes(data[:-1000]), "incomplete"),
        (lambda data, path: path.write_bytes(b"no dump" + data), "incomplete"),
        (lambda data, path: path.write_bytes(gzip.compress(data)[:-20]), "incomplete"),
        (lambda data, path: path.write_bytes(gzip.compress(data) + b"words"), "incomplete"),
        (lambda data, path: path.write_bytes(b"\n".join([gzip.compress(data)] * 2)), "archive"),
        (lambda _, __: None, "no such file"),
    ],
    ids=["archive", "table", "truncated", "unknown", "cut-stream", "trailing", "two", "absent"],
)
def test_what_cannot_be_redacted_is_refused(tmp_path: Path, make: object, fragment: str) -> None:
    """No copy is made of what could not pass, and the reason is said in words of ours."""
    path, output = tmp_path / "core", tmp_path / "copy"
    assert callable(make)
    make(core(encodings.pkcs8_pem(EC), bytes(4096)), path)
    with pytest.raises(ScannerError) as raised:
        redacted(path, output)
    assert fragment in raised.value.reason
    assert not output.exists()
    assert {one.name for one in tmp_path.iterdir()} <= {"core"}


def test_an_unknown_format_may_be_redacted_raw(tmp_path: Path) -> None:
    """With leave to sweep raw bytes, they can be redacted too, and without it that is said."""
    path = tmp_path / "bytes"
    path.write_bytes(b"no dump" + encodings.pkcs8_pem(EC) + b"behind")
    with pytest.raises(ScannerError) as raised:
        redacted(path, tmp_path / "copy")
    assert raised.value.hint.startswith("try --raw")
    redacted(path, tmp_path / "copy", raw=True)
    copy = (tmp_path / "copy").read_bytes()
    assert (copy[:7], copy[-6:]) == (b"no dump", b"behind")
    assert b"BEGIN" not in copy


def test_what_does_not_block_stays_unless_asked(tmp_path: Path) -> None:
    """An encrypted key is left alone, and goes with ``every``; an allowed one stays in both."""
    path = tmp_path / "core"
    locked, allowed = sealed.pkcs8_pem(EC), encodings.pkcs8_pem(KEY)
    path.write_bytes(core(locked, allowed, encodings.pkcs8_pem(OTHER)))
    entry = Allow(
        fingerprint=hashlib.sha256(encodings.spki_der(KEY)).hexdigest(),
        reason="a test",
        owner="tests",
        expires=dt.date.max,
    )
    aim = Aim(ruling=Ruling(policy=Policy(allow=(entry,))), published=PUBLISHED)
    stays = {}
    for every, suppressed in ((False, False), (True, False), (False, True), (True, True)):
        output = tmp_path / f"{every} {suppressed}"
        redacted(path, output, replace(aim, every=every, suppressed=suppressed))
        copy = output.read_bytes()
        assert encodings.pkcs8_pem(OTHER) not in copy
        stays[every, suppressed] = (locked in copy, allowed in copy)
    assert stays == {
        (False, False): (True, True),
        (True, False): (False, True),
        (False, True): (True, False),
        (True, True): (False, False),
    }


def test_what_looks_random_goes_if_asked(tmp_path: Path) -> None:
    """An exponent without its modulus is no finding, and stays; with ``random`` it goes.

    What a program maps from a file and cannot write stays, and so do text and addresses.
    """
    path, text = tmp_path / "core", b"what a person wrote, and may be read. " * 20
    d = keys.rsa_key(2048).d.to_bytes(256, "little")
    pointers = struct.pack("<64Q", *range(0x7F00_0000_1000, 0x7F00_0000_1200, 8))
    segments = (
        elfcore.Segment(address=0x7F00_0000_0000, data=(text + pointers + d).ljust(8192, b"\0")),
        elfcore.Segment(address=0x7F10_0000_0000, data=d.ljust(4096, b"\0"), perms="r"),
        elfcore.Segment(address=0x7F20_0000_0000, data=d.ljust(4096, b"\0"), perms="r"),
    )
    mapped = elfcore.Mapped(start=0x7F10_0000_0000, end=0x7F10_0000_1000, name="/usr/lib/a.so")
    path.write_bytes(elfcore.write(segments, files=(mapped,)).data)
    made = redacted(path, tmp_path / "left")
    assert made.size == 0
    assert (tmp_path / "left").read_bytes() == path.read_bytes()
    made = redacted(path, tmp_path / "copy", replace(AIM, random=True))
    copy = (tmp_path / "copy").read_bytes()
    assert (copy.count(d), path.read_bytes().count(d)) == (1, 3)
    assert copy.index(d) % 4096 == 0
    assert all(copy.count(d[at : at + 16]) == 1 for at in range(240))
    assert text in copy
    assert pointers in copy
    assert made.size == sum(end - start for start, end in made.random) == 512
    assert copy.count(bytes((FILL,)) * 256) == 2
    assert layout(path) == layout(tmp_path / "copy")
    assert redact.plan(request(path), replace(AIM, random=True), Silence()).random == made.random


def test_a_copy_that_does_not_pass_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what was found stands after all rounds, nothing is left, and the places are told."""
    path, output = tmp_path / "core", tmp_path / "copy"
    path.write_bytes(core(encodings.pkcs8_pem(EC)))
    monkeypatch.setattr(redact, "_ranges", lambda _: ())
    with pytest.raises(RedactError) as raised:
        redacted(path, output)
    assert "places hold secrets still" in raised.value.reason
    assert list(tmp_path.iterdir()) == [path]


def test_a_dump_that_changes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied is what was scanned, or there is no copy."""
    path, output = tmp_path / "core", tmp_path / "copy"
    path.write_bytes(core(encodings.pkcs8_pem(EC)))
    attend = scanning.attend

    def after_a_change(*arguments: object) -> object:
        path.write_bytes(core(encodings.pkcs8_pem(EC), b"more"))
        return attend(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(scanning, "attend", after_a_change)
    with pytest.raises(ScannerError) as raised:
        redacted(path, output)
    assert "changed" in raised.value.message
    assert list(tmp_path.iterdir()) == [path]


def test_spans_are_disjoint() -> None:
    """Ranges that touch or overlap are one."""
    name = Fingerprint(kind="place-sha256", value="0" * 64)
    rows = [
        Overwritten(file_offset=at, size=size, rule="r", fingerprint=name)
        for at, size in ((10, 5), (0, 4), (15, 5), (12, 2), (4, 1))
    ]
    assert redact.spans(rows) == ((0, 5), (10, 20))
