"""Tokens and passwords: anchors say where to look, Kingfisher looks in their neighbourhood.

Its rules are made for source code, where quotes and line ends surround a secret. Here each byte
that is no printable character becomes a line end first, and UTF-16 text becomes ASCII, at even and
odd offsets; places are told in the dump's own bytes. A token is as sure as its rule says, and only
where it announces itself: a name beside a string of hex digits is a guess. What leaves is a place,
the name of a rule and what a JWT says of itself; equal values are told from others in here alone.
"""

import bisect
import functools
import itertools
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scanner import rules
from scanner.arrays import Bytes, Offsets
from scanner.detect.asn1.der import Memory
from scanner.detect.credentials import chance, jwt, kingfisher, marks
from scanner.detect.credentials.jwt import Claims
from scanner.fingerprint import Names
from scanner.model import Candidate, Confidence, Fault, Place, Witness
from scanner.rules import Rule

SURE, PROBABLE, JWT = "service-token", "probable-token", "json-web-token"
"""The rules that findings are made under."""

BEFORE, AFTER = 2048, 4096
"""Bytes around an anchor that are looked at: names stand near, and few tokens are longer."""

PIECE, OVERLAP = 256 << 10, 8 << 10
"""Bytes that Kingfisher sees at once, and that two such pieces have in common."""

MOST = 1 << 16
"""Tokens of one dump: beyond it, the dump was made to have them."""

ALGORITHM = "jwt"
"""What a finding of a JSON Web Token names in place of a rule of Kingfisher's."""

_EXCLUDED = re.compile(
    r"betterleaks\.(private-key|age-secret-key|jwt)"  # found by others here, and better
    r"|betterleaks\.(mapbox-api-token|new-relic-browser-api-token|posthog-project-api-key)"
    r"|.*[-.](client-id|public-key|pub-key|pub-api-key|access-id|api-id|client-sdk-key)(\.\d+)?"
)
"""Rules that are not asked: what they find is found anyway, or no secret, as web pages have it."""

_AWS_ID, _AWS_SECRET = "betterleaks.aws-access-token", "betterleaks.aws-secret-access-key"
_AWS_MARKS = (b"AKIA", b"ASIA", b"ABIA", b"ACCA", b"A3T")
_AWS_NAME = re.compile(
    rb"(?<![A-Za-z0-9/+_-])(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9/+=_-])"
)
_AWS_TEXT = re.compile(rb"(?<![A-Za-z0-9/+_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
"""A secret access key has no mark of its own: 40 characters of base64."""

_MOST_IDS = 256
"""Ids of access keys in one piece that are looked around."""

_LEAST_ENTROPY = 4.2
"""Bits per character; of 40 random ones one in a million has fewer."""

_WITHIN = re.compile(
    rb"[=\"'](?P<last>[A-Za-z0-9+/_%-]{16,100}={0,2})[\"']?\Z|\A[a-z+]{2,24}://[^:/@]*:(?P<password>[^/@]+)@"
)
"""The value in a token that has its name, or an address, with it: that is what is published."""

_MOST_ASKED = 256
"""Hits of which it is looked whether text stands near any."""

_FILL = re.compile(rb"6{16,}")
"""What HMAC fills its blocks with, where a token is in the next one (Go)."""

_TEXT = bytes(byte if 32 <= byte < 127 or byte in b"\t\n\r" else 10 for byte in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the search of a dump gave."""

    candidates: tuple[Candidate, ...]
    witnesses: tuple[Witness, ...]
    """What JSON Web Tokens say of themselves; each is told by its candidate's fingerprint."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Token:
    """One place of one token. Holds its value: stays in here."""

    place: Place
    width: int
    rule: str
    name: str
    """Of Kingfisher's rule."""
    value: bytes
    doubtful: bool = False
    """Its mark is one that chance makes."""
    claims: Claims | None = None


def asked(rule: str) -> bool:
    """Tell whether findings of one of Kingfisher's rules are told."""
    return not _EXCLUDED.fullmatch(rule)


def wanted(memory: Memory, spaces: Offsets, offsets: Offsets, paths: tuple[str, ...] = ()) -> bool:
    """Tell whether Kingfisher will be asked of any hit. Raises what reading the dump raises."""
    hits = zip(spaces.tolist(), offsets.tolist(), strict=True)
    return kingfisher.available() and (
        len(offsets) > _MOST_ASKED
        or any(
            paths or chance.written(memory.clip(space, max(at - BEFORE, 0), BEFORE + AFTER))
            for space, at in hits
        )
    )


def search(
    memory: Memory,
    spaces: Offsets,
    offsets: Offsets,
    hit_rules: Sequence[Rule],
    paths: tuple[str, ...] = (),
    key: bytes = b"",
) -> Found:
    """Look at every hit, given as parallel columns and sorted by place.

    ``paths`` are rules of the operator's own, ``key`` is that of the fingerprints. Raises what
    reading the dump raises.
    """
    found: list[_Token] = []
    faults: list[Fault] = []
    try:
        for token in _tokens(memory, spaces, offsets, hit_rules, paths):
            if len(found) == MOST:
                text = f"More than {MOST} tokens stand in the dump; the others were not looked at."
                faults.append(Fault(code="limit-tokens", text=text))
                break
            found.append(token)
    except kingfisher.FAILURES as error:
        text = f"The search for tokens ended with {type(error).__name__}."
        faults.append(Fault(code="tokens-failed", text=text))
    kinds = {rule.id: rule.kind for rule in hit_rules}
    names = Names(key)
    candidates, witnesses = [], []
    for token in _apart(_doubted(memory, found)):
        name = names.of("token", token.value)
        candidates.append(
            Candidate(
                rule=token.rule,
                kind=kinds.get(token.rule, "token"),
                algorithm=token.name,
                encoding="text utf-16le" if token.width == 2 else "text",
                confidence=Confidence.SHAPE if token.rule == PROBABLE else Confidence.STRUCTURE,
                proof="",
                fingerprint=name,
                bits=0,
                places=(token.place,),
                published=_source(token.value),
            )
        )
        if token.claims is not None:
            witnesses.append(
                Witness(
                    kind="claims",
                    fingerprint=name,
                    issuer=token.claims.issuer,
                    audience=token.claims.audience,
                    not_after=token.claims.not_after,
                )
            )
    return Found(candidates=tuple(candidates), witnesses=tuple(witnesses), faults=tuple(faults))


def _tokens(
    memory: Memory,
    spaces: Offsets,
    offsets: Offsets,
    hit_rules: Sequence[Rule],
    paths: tuple[str, ...],
) -> Iterator[_Token]:
    """Yield every token of the neighbourhoods; overlapping ones, and those of seams twice."""
    apart = (np.diff(spaces) != 0) | (np.diff(offsets) > BEFORE + AFTER)
    cuts = [0, *(np.flatnonzero(apart) + 1).tolist(), len(offsets)]
    for low, high in itertools.pairwise(cuts if len(offsets) else ()):
        named = [rule.id == JWT for rule in hit_rules[low:high]]
        yield from _neighbourhood(memory, int(spaces[low]), offsets[low:high], named, paths)


def _neighbourhood(
    memory: Memory, space: int, hits: Offsets, named: list[bool], paths: tuple[str, ...]
) -> Iterator[_Token]:
    """Look at a stretch of hits that are near each other, piece after piece."""
    first, last = max(int(hits[0]) - BEFORE, 0), int(hits[-1]) + AFTER
    for start in range(first, last, PIECE):
        raw = np.frombuffer(memory.clip(space, start, min(PIECE + OVERLAP, last - start)), np.uint8)
        low, high = np.searchsorted(hits, (start, start + len(raw) - 1))
        near = hits[low:high] - start
        wide = raw[near + 1] == 0
        for offset, is_wide, is_jwt in zip(
            near.tolist(), wide.tolist(), named[int(low) : int(high)], strict=True
        ):
            if is_jwt and (token := _jwt(memory, space, start + offset, 1 + is_wide)):
                yield token
        if not all(wide):
            yield from _confirmed(raw.tobytes(), Place(space=space, offset=start, size=1), paths)
        for parity in np.unique(near[wide] & 1).tolist():
            place = Place(space=space, offset=start + parity, size=2)
            yield from _confirmed(_halved(raw[parity:]), place, paths)


def _halved(raw: Bytes) -> bytes:
    """Return UTF-16LE text as ASCII; what is not ASCII becomes zero."""
    pairs = raw[: len(raw) & ~1].reshape(-1, 2)
    return np.where(pairs[:, 1] == 0, pairs[:, 0], 0).astype(np.uint8).tobytes()


def _jwt(memory: Memory, space: int, offset: int, width: int) -> _Token | None:
    read = jwt.read(memory, space, offset, width)
    if read is None:
        return None
    value, claims = read
    place = Place(space=space, offset=offset, size=len(value) * width)
    return _Token(place=place, width=width, rule=JWT, name=ALGORITHM, value=value, claims=claims)


# --- what Kingfisher says -----------------------------------------------------------------------


def _confirmed(raw: bytes, origin: Place, paths: tuple[str, ...]) -> Iterator[_Token]:
    """Yield the tokens of a text whose first character is at ``origin``, its size that of each."""
    if not kingfisher.available():  # the engine says so
        return
    if not paths and not chance.written(raw):  # the operator's own rules may look for less
        return
    text = raw.translate(_TEXT)
    if b"6" * 16 in text:
        text = _FILL.sub(_blank, text)
    matches = kingfisher.scanner(paths)(text)
    for match in matches:
        value = text[match.start : match.end]
        if match.rule == _AWS_SECRET:
            if _AWS_TEXT.fullmatch(value) and _random(value):
                yield _token(origin, match.start, value, PROBABLE, match.rule)
        elif match.visible and asked(match.rule) and not marks.by_chance(match, text, paths):
            marked = (
                match.confidence == "high"
                and marks.announced(match, text, paths)
                and (bool(paths) or not _placeholder(_inner(value)))  # theirs may look for that
            )
            token = _token(origin, match.start, value, SURE if marked else PROBABLE, match.rule)
            yield replace(token, doubtful=True) if marks.doubtful(match, text, paths) else token
    if any(mark in text for mark in _AWS_MARKS):
        yield from _beside(text, origin)


def _placeholder(value: bytes) -> bool:
    return chance.filled(value) or chance.named(value)


def _blank(fill: re.Match[bytes]) -> bytes:
    """Part what stands behind a fill, of whole words, from it."""
    return b"\n" * (len(fill[0]) & ~7) + fill[0][: len(fill[0]) & 7]


def _beside(text: bytes, origin: Place) -> Iterator[_Token]:
    """Yield the secret access keys that stand near the id of one, and these ids."""
    for name in itertools.islice(_AWS_NAME.finditer(text), _MOST_IDS):
        first = max(name.start() - BEFORE, 0)
        secrets = [
            secret
            for secret in _AWS_TEXT.finditer(text, first, name.end() + BEFORE)
            if _random(secret[0])
        ]
        if secrets:
            yield _token(origin, name.start(), name[0], SURE, _AWS_ID)
        for secret in secrets:
            yield _token(origin, secret.start(), secret[0], SURE, _AWS_SECRET)


def _token(origin: Place, start: int, value: bytes, rule: str, name: str) -> _Token:
    place = Place(
        space=origin.space,
        offset=origin.offset + start * origin.size,
        size=len(value) * origin.size,
    )
    return _Token(place=place, width=origin.size, rule=rule, name=name, value=value)


def _random(value: bytes) -> bool:
    """Tell whether a text looks like base64 of random bytes, and like no path, word or hex."""
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    kinds = (bytes.isdigit, bytes.islower, bytes.isupper)
    mixed = all(any(kind(bytes((byte,))) for byte in counts) for kind in kinds)
    return mixed and entropy >= _LEAST_ENTROPY


# --- what chance makes of a heap ----------------------------------------------------------------


def _doubted(memory: Memory, tokens: Sequence[_Token]) -> list[_Token]:
    """Call those probable that have a short mark, and stand in a crowd of words of their length.

    Where hundreds have such marks these are no work of chance.
    """
    short = [index for index, token in enumerate(tokens) if token.doubtful and token.rule == SURE]
    found = list(tokens)
    for index in short if len(short) <= _MOST_ASKED else ():
        if _crowded(memory, tokens[index]):
            found[index] = replace(tokens[index], rule=PROBABLE)
    return found


def _crowded(memory: Memory, token: _Token) -> bool:
    """Tell whether a token stands among words as long as it, in its own width."""
    place, width = token.place, token.width
    before = min(place.offset // width, chance.AROUND)
    start = place.offset - before * width
    raw = memory.clip(place.space, start, (before + chance.AROUND) * width + place.size)
    text = raw if width == 1 else _halved(np.frombuffer(raw, np.uint8))
    return chance.crowded(text.translate(_TEXT), before, before + place.size // width)


# --- one token at one place ---------------------------------------------------------------------


def _apart(tokens: Sequence[_Token]) -> list[_Token]:
    """Keep, of tokens that overlap, the one that says most; in the order of their places."""
    rank = {JWT: 0, SURE: 1, PROBABLE: 2}
    ordered = sorted(tokens, key=lambda t: (rank[t.rule], -t.place.size, t.place, t.name))
    starts: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    kept = []
    for token in ordered:
        start, end = token.place.offset, token.place.offset + token.place.size
        mine = starts.setdefault(token.place.space, [])
        theirs = ends.setdefault(token.place.space, [])
        index = bisect.bisect_right(mine, start)
        if (index and theirs[index - 1] > start) or (index < len(mine) and mine[index] < end):
            continue
        mine.insert(index, start)
        theirs.insert(index, end)
        kept.append(token)
    return sorted(kept, key=lambda token: token.place)


# --- tokens that everybody has ------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def _published() -> dict[bytes, str]:
    """Return tokens that are printed as examples, with where each stands for everybody to read."""
    text = (rules.shipped() / "tokens" / "published.toml").read_text("utf-8")
    return {
        value.encode(): str(row["source"])
        for row in tomllib.loads(text)["examples"]
        for value in row["values"]
    }


def _source(value: bytes) -> str:
    """Return where a token, or the value in it, is published; empty for one that is not."""
    return _published().get(value) or _published().get(_inner(value), "")


def _inner(value: bytes) -> bytes:
    """Return the value in a token that has more with it, else the token."""
    within = _WITHIN.search(value)
    return (within["last"] or within["password"]) if within else value
