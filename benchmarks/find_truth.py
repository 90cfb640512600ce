"""Search a dump for private numbers that are known: what a scanner could have found there.

    python benchmarks/find_truth.py CASE [CASE ...]

Reads ``truth.json`` (see ``truth``) and the dump of each case, and writes ``present.json``. Every
number is spelled in every way that a library is known to lay numbers down, and the dump is searched
for the whole of it at every byte; what is found only in pieces of 16 bytes and more is counted as
``parts``. Shares no code with the scanner, and needs no guess: it knows what it looks for.

A secret is ``recoverable`` where a whole private number stands, and beside it what tells a key from
noise: an RSA modulus (or both primes), the public half of any other key, or DER or text of the key.
A private number whose public half is nowhere is ``weak``.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hyperscan
import numpy as np
import numpy.typing as npt

DUMPS = ("core", "dump.dmp")
ANCHOR = 8
"""Bytes of a spelling that are looked up first: its most varied ones."""

BLOCK = 1 << 16
"""Bytes of a dump that are left out together where they are zeros."""

MARKS, CHUNK = 20, 1 << 18
"""Bits of a word that are looked up first, and words that are looked up at once."""

VARIED = 4
"""Different bytes of a word that is looked up."""

LONG = 80
"""Bytes of the longest number that is looked for with a byte in each word: a scalar or a seed."""

PIECE, STRIDE = 32, 1 << 20
"""Bytes of a sparse spelling that are looked for, and of a dump that are looked through at once."""

PART = 16
MOST_HITS = 40
"""Places of one spelling that are written down."""

DIGITS = (
    ("digits-24x4", 24, 4, 0),
    ("digits-26x4", 26, 4, 0),
    ("digits-28x4", 28, 4, 0),
    ("digits-29x4", 29, 4, 0),
    ("digits-30x4", 30, 4, 0),
    ("digits-31x4", 31, 4, 0),
    ("digits-15x2", 15, 2, 0),
    ("digits-51x8", 51, 8, 0),
    ("digits-52x8", 52, 8, 0),
    ("digits-56x8", 56, 8, 0),
    ("digits-57x8", 57, 8, 0),
    ("digits-60x8", 60, 8, 0),
    ("digits-61x8", 61, 8, 0),
    ("digits-62x8", 62, 8, 0),
    ("digits-63x8", 63, 8, 0),
    ("longs-8", 8, 8, 0),
    ("longs-26", 26, 8, 0),
    ("longs-28", 28, 8, 0),
    ("longs-32", 32, 8, 0),
    ("ints-8", 8, 4, 0),
    ("ints-16", 16, 4, 0),
    ("smi64-24", 24, 8, 32),
    ("smi64-26", 26, 8, 32),
    ("smi64-28", 28, 8, 32),
    ("smi64-8", 8, 8, 32),
    ("smi32-26", 26, 4, 1),
    ("smi32-28", 28, 4, 1),
    ("smi32-8", 8, 4, 1),
)
"""Name, bits of a digit, bytes of its word, zero bits under it; the least significant first."""

TAGGED = (
    ("moz-26", 26, 4, "0080f8ff"),
    ("moz-28", 28, 4, "0080f8ff"),
    ("jsc-26", 26, 4, "0000feff"),
    ("jsc-28", 28, 4, "0000feff"),
    ("zval-26", 26, 8, "0400000000000000"),
    ("zval-31", 31, 8, "0400000000000000"),
    ("cells-26", 26, 8, "0000000000000000"),
    ("cells-28", 28, 8, "0000000000000000"),
)
"""Name, bits of a digit, bytes of its word, and what an interpreter puts behind each."""

SPARSE = ("longs-8", "ints-8", "ints-16", "smi64-8", "smi32-8", "bytes-as-doubles")

_ED25519 = (1 << 252) + 27742317777372353535851937790883648493
_ORDERS = {
    "p224": (1 << 224) - 0xE95D1F470FC1EC22D6BAA3A3D5C3,
    "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "p384": (1 << 384) - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
    "p521": (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
    "secp256k1": (1 << 256) - 0x14551231950B75FC4402DA1732FC9BEBF,
}
_FIELDS = {
    "p256": (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1,
    "p384": (1 << 384) - (1 << 128) - (1 << 96) + (1 << 32) - 1,
    "p521": (1 << 521) - 1,
    "secp256k1": (1 << 256) - (1 << 32) - 977,
    "brainpoolp256r1": 0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377,
    "brainpoolp384r1": int(
        "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123"
        "acd3a729901d1a71874700133107ec53",
        16,
    ),
    "brainpoolp512r1": int(
        "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330871"
        "7d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
        16,
    ),
}

Spelled = dict[str, bytes]


# --- spellings ----------------------------------------------------------------------------------


def spellings(value: int, size: int) -> Spelled:
    """Return the spellings of a number of ``size`` bytes by name."""
    big, little = value.to_bytes(size, "big"), value.to_bytes(size, "little")
    rows = {"raw-BE": big, "raw-LE": little}
    for word in (4, 8):
        padded = little + bytes(-size % word)
        words = [padded[at : at + word] for at in range(0, len(padded), word)]
        rows[f"words-{8 * word}-most-first"] = b"".join(reversed(words))
        rows[f"words-{8 * word}-be"] = b"".join(part[::-1] for part in words)
    for name, bits, word, shift in DIGITS:
        digits = range(0, max(value.bit_length(), 8 * size - 7), bits)
        packed = [(value >> at & ((1 << bits) - 1)) << shift for at in digits]
        rows[name] = b"".join(digit.to_bytes(word, "little") for digit in packed)
        if not shift:
            rows[f"{name}-be"] = b"".join(digit.to_bytes(word, "big") for digit in packed)
        if word == 4 and not shift:
            rows[f"{name}-most-first"] = b"".join(
                digit.to_bytes(word, "little") for digit in reversed(packed)
            )
    for name, bits, word, tag in TAGGED:
        digits = range(0, max(value.bit_length(), 8 * size - 7), bits)
        packed = [value >> at & ((1 << bits) - 1) for at in digits]
        rows[name] = b"".join(p.to_bytes(word, "little") + bytes.fromhex(tag) for p in packed)
    doubles = np.frombuffer(little, np.uint8).astype(np.float64)
    rows["bytes-as-doubles"] = doubles.tobytes()
    rows["doubles-24"] = np.array(
        [value >> at & 0xFFFFFF for at in range(0, 8 * size, 24)], np.float64
    ).tobytes()
    texts = {"hex": big.hex(), "hex-upper": big.hex().upper(), "decimal": str(value)}
    texts["hex-colons"] = big.hex(":")
    for base, digits_ in (("1e7", 7), ("1e9", 9)):
        decimal = [value // 10**at % 10**digits_ for at in range(0, len(str(value)), digits_)]
        rows[f"digits-{base}x4"] = b"".join(part.to_bytes(4, "little") for part in decimal)
        rows[f"smi64-{base}"] = b"".join((p << 32).to_bytes(8, "little") for p in decimal)
        rows[f"longs-{base}"] = b"".join(part.to_bytes(8, "little") for part in decimal)
    for phase in range(3):
        middle = base64.b64encode(bytes(phase) + big)[4 if phase else 0 :]
        text = middle[: (len(middle) - (-(len(big) + phase) % 3 and 4))].decode()
        texts[f"base64-{phase}"] = text
        texts[f"base64url-{phase}"] = text.replace("+", "-").replace("/", "_")
    for name, text in texts.items():
        rows[name] = text.encode()
        rows[f"{name}-utf16"] = text.encode("utf-16-le")
    if size > LONG:
        rows = {name: raw for name, raw in rows.items() if name not in SPARSE}
    unique = {raw: name for name, raw in reversed(rows.items()) if len(raw) >= PART}
    return {name: raw for raw, name in reversed(unique.items())}


def private_spellings(secret: dict[str, Any]) -> dict[tuple[str, str], bytes]:
    """Return the spellings of a secret's private numbers by (number, spelling)."""
    kind, rows = secret["kind"], {}
    for name, value, size in _private(kind, secret["private"], secret.get("public") or {}):
        rows.update({(name, form): raw for form, raw in spellings(value, size).items()})
    return rows


def _private(
    kind: str, numbers: dict[str, str], public: dict[str, str]
) -> Iterator[tuple[str, int, int]]:
    """Yield (name, value, bytes) of all that is private of a key."""
    values = {name: int(text, 16) for name, text in numbers.items()}
    if kind.startswith("rsa") and "p" in values:
        values.setdefault("q", int(public["n"], 16) // values["p"])
        one, other = values["p"] - 1, values["q"] - 1
        values["d of phi"] = pow(65537, -1, one * other)
    sizes = {name: -(-len(text) // 2) for name, text in numbers.items()}
    if kind.startswith("ec-"):
        curve = kind.removeprefix("ec-")
        size = sizes["d"] = _ec_size(curve)
        if curve in _ORDERS:
            values["d montgomery"] = (values["d"] << 64 * -(-size // 8)) % _ORDERS[curve]
            sizes["d montgomery"] = size
    for name, value in values.items():
        yield name, value, sizes.get(name) or -(-value.bit_length() // 8)
    if kind in ("ed25519", "x25519") and numbers.keys() & {"seed", "k"}:
        raw = bytes.fromhex(next(iter(numbers.values())))
        if kind == "ed25519":
            digest = hashlib.sha512(raw).digest()
            yield "a before clamping", int.from_bytes(digest[:32], "big"), 32
            raw = digest[:32]
        a = int.from_bytes(bytes((raw[0] & 248, *raw[1:31], raw[31] & 127 | 64)), "little")
        for name, value in (("a", a), ("a mod L", a % _ED25519), ("a/8", a >> 3)):
            yield name, int.from_bytes(value.to_bytes(32, "little"), "big"), 32


def _ec_size(curve: str) -> int:
    return {"p224": 28, "p384": 48, "p521": 66, "brainpoolp384r1": 48, "brainpoolp512r1": 64}.get(
        curve, 32
    )


def public_spellings(secret: dict[str, Any]) -> dict[tuple[str, str], bytes]:
    """Return the spellings of what tells a private number from noise."""
    kind, rows = secret["kind"], {}
    for name, text in (secret.get("public") or {}).items():
        value, size = int(text, 16), -(-len(text) // 2)
        if kind.startswith("ec-"):
            size = _ec_size(kind.removeprefix("ec-"))
        rows.update({(name, form): raw for form, raw in spellings(value, size).items()})
        field = _FIELDS.get(kind.removeprefix("ec-"))
        if field:
            for limbs in {-(-size // 4), -(-size // 8) * 2, -(-size // 64) * 16}:
                shifted = (value << 32 * limbs) % field
                for word in (8, 4):
                    raw = shifted.to_bytes(-(-size // word) * word, "little")
                    rows[name, f"montgomery-{limbs}-{word}"] = raw
                    rows[name, f"montgomery-{limbs}-{word}-be"] = raw[::-1]
                    words = [raw[at : at + word][::-1] for at in range(0, len(raw), word)]
                    rows[name, f"montgomery-{limbs}-{word}-words-be"] = b"".join(words)
            for bits in (26, 28):  # BN.js, jsbn: R fills their digits
                radix = -(-field.bit_length() // bits) * bits
                for form, raw in spellings((value << radix) % field, size).items():
                    if f"-{bits}" in form:
                        rows[name, f"{form} montgomery"] = raw
    return rows


# --- search -------------------------------------------------------------------------------------


def anchor(raw: bytes) -> int:
    """Return where the most varied bytes near the middle of a spelling stand."""
    width = 2 * ANCHOR - 1
    middle = (len(raw) - width) // 2
    places = range(max(middle - ANCHOR, 0), min(middle + ANCHOR, len(raw) - width) + 1)
    return max(places, key=lambda at: len(set(raw[at : at + width])))


def find(data: bytes, wanted: list[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (index of what is wanted, where it starts, first and last of its bytes that agree).

    Of eight words that begin at neighbouring bytes one stands at a multiple of eight. Where these
    are mostly zeros, which are everywhere, the whole is searched for.
    """
    anchors: dict[int, list[tuple[int, int]]] = defaultdict(list)
    sparse: list[int] = []
    for index, raw in enumerate(wanted):
        first = anchor(raw)
        words = {raw[at : at + ANCHOR]: at for at in range(first, first + ANCHOR)}
        if min(len(set(word) - {0}) for word in words) < VARIED:
            sparse.append(index)
        else:
            for word, at in words.items():
                anchors[int.from_bytes(word, "little")].append((index, at))
    for index, start in _everywhere(data, {index: wanted[index] for index in sparse}):
        yield index, start, 0, len(wanted[index])
    table = np.array(sorted(anchors), np.uint64)
    for position, value in _lookup(data, table):
        for index, at in anchors[value]:
            raw, start = wanted[index], position - at
            low, high = at, at + ANCHOR
            while low > 0 and start + low > 0 and data[start + low - 1] == raw[low - 1]:
                low -= 1
            while high < len(raw) and start + high < len(data) and data[start + high] == raw[high]:
                high += 1
            yield index, start, low, high


def _everywhere(data: bytes, wanted: dict[int, bytes]) -> list[tuple[int, int]]:
    """Return (index of what is wanted, where it starts): all are looked for at once, by a piece."""
    if not wanted:
        return []
    pieces, found = list(wanted), []
    tops = [max(len(wanted[index]) - PIECE, 0) // 2 for index in pieces]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[
            b"".join(b"\\x%02x" % byte for byte in wanted[index][top : top + PIECE])
            for index, top in zip(pieces, tops, strict=True)
        ],
        ids=list(range(len(pieces))),
        elements=len(pieces),
        flags=hyperscan.HS_FLAG_DOTALL,
    )
    view = memoryview(data)
    for base in range(0, len(data), STRIDE):

        def seen(which: int, _start: int, end: int, *_: object, base: int = base) -> None:
            index, top = pieces[which], tops[which]
            raw = wanted[index]
            start = base + end - min(len(raw), PIECE) - top
            if start >= 0 and data[start : start + len(raw)] == raw:
                found.append((index, start))

        database.scan(view[base : base + STRIDE + PIECE], match_event_handler=seen)
    return sorted(set(found))


def _lookup(data: bytes, table: npt.NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Yield (position, word) of each word of the table that stands at a multiple of eight."""
    marks = np.zeros(1 << MARKS, np.bool_)
    marks[(table >> np.uint64(64 - MARKS)).astype(np.int64)] = True
    words = np.frombuffer(data, np.uint64, len(data) // ANCHOR)
    for base in range(0, len(words), CHUNK):
        part = words[base : base + CHUNK]
        maybe = np.flatnonzero(marks[(part >> np.uint64(64 - MARKS)).astype(np.int64)])
        hits = maybe[np.isin(part[maybe], table)]
        for hit in hits.tolist():
            yield (base + hit) * ANCHOR, int(part[hit])


def present(data: bytes, secrets: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what of each secret stands in a dump, which is read once."""
    spelled = [_spelled(secret) for secret in secrets]
    rows = [(which, name) for which, wanted in enumerate(spelled) for name in wanted]
    seen: list[dict[_Name, list[int]]] = [defaultdict(list) for _ in secrets]
    parts: list[dict[str, int]] = [defaultdict(int) for _ in secrets]
    for index, start, low, high in find(data, [spelled[which][name] for which, name in rows]):
        which, name = rows[index]
        whole = len(spelled[which][name])
        if high - low == whole:
            seen[which][name].append(start)
        elif name[0] == "private" and high - low >= PART:
            parts[which][name[1]] = max(parts[which][name[1]], 100 * (high - low) // whole)
    for which, secret in enumerate(secrets):
        yield _summary(secret, list(spelled[which]), seen[which], parts[which])


_Name = tuple[str, str, str]
"""What it is (private, public, line, container), which number, which spelling."""


def _spelled(secret: dict[str, Any]) -> dict[_Name, bytes]:
    rows: dict[_Name, bytes] = {}
    for what, spelled in (("private", private_spellings), ("public", public_spellings)):
        rows.update({(what, *name): raw for name, raw in spelled(secret).items()})
    return rows | _texts(secret.get("source_pem") or "")


def _summary(
    secret: dict[str, Any], names: list[_Name], seen: dict[_Name, list[int]], parts: dict[str, int]
) -> dict[str, Any]:
    forms = [name for name in names if name[0] == "private" and name in seen]
    witness = sorted({name[2] for name in names if name[0] == "public" and name in seen})
    lines = [name for name in names if name[0] == "line"]
    held = sum(name in seen for name in lines)
    containers = [{"kind": name[2]} for name in names if name[0] == "container" and name in seen]
    if lines and held == len(lines):
        containers.append({"kind": "PEM"})
    numbers = {name[1] for name in forms}
    proved = bool(numbers) and (bool(witness) or {"p", "q"} <= numbers)
    return {
        "id": secret["id"],
        "kind": secret["kind"],
        "hits": [
            {"value": name[1], "encoding": name[2], "offset": at}
            for name in forms
            for at in seen[name][:MOST_HITS]
        ],
        "public_as": witness,
        "containers": containers,
        "recoverable_by": [list(name[1:]) for name in forms],
        "recoverable": proved or bool(containers),
        "weak": bool(numbers) and not proved and not containers,
        "parts": parts,
        "partial_text": 0 < held < len(lines),
    }


def _texts(pem: str) -> dict[_Name, bytes]:
    """Return the lines of a PEM file, and the DER in it."""
    lines = [line for line in pem.splitlines() if line and not line.startswith("-")]
    der = base64.b64decode("".join(lines))
    rows: dict[_Name, bytes] = {
        ("line", str(number), "PEM"): line.encode()
        for number, line in enumerate(lines)
        if len(line) >= PART
    }
    return rows | ({("container", "key", "PKCS8-DER"): der} if der else {})


def search(case: Path) -> dict[str, Any]:
    """Search the dump of a case for each of its secrets."""
    truth = json.loads((case / "truth.json").read_text("utf-8"))
    secrets = [secret for secret in truth["secrets"] if secret.get("private")]
    path = next(case / name for name in DUMPS if (case / name).exists())
    data, starts = _filled(path)
    found = list(present(data, secrets))
    for hit in (hit for secret in found for hit in secret["hits"]):
        packed, real = max(start for start in starts if start[0] <= hit["offset"])
        hit["offset"] += real - packed
    return {"case": case.name, "size": path.stat().st_size, "secrets": found}


def _filled(path: Path) -> tuple[bytes, list[tuple[int, int]]]:
    """Return the blocks of a file that are not all zeros, and where stretches of them start.

    First in what is returned, then in the file. A core of gdb's is holes for the most part: stacks
    and arenas that nobody touched.
    """
    packed, starts, end, at = bytearray(), [], -1, 0
    with path.open("rb") as dump:
        while block := dump.read(BLOCK):
            if block.count(0) < len(block):
                if end != at:
                    packed += bytes(ANCHOR)
                    starts.append((len(packed), at))
                packed += block
                end = at + len(block)
            at += len(block)
    return bytes(packed), starts


def main() -> int:
    """Write ``present.json`` of each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="+", type=Path)
    for case in parser.parse_args().cases:
        found = search(case)
        (case / "present.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        for secret in found["secrets"]:
            word = "whole" if secret["recoverable"] else "weak" if secret["weak"] else "-"
            forms = ", ".join(" ".join(row) for row in secret["recoverable_by"])
            print(f"{case.name:<28} {secret['id']:<20} {word:<6} {forms}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
