"""Stage two, first half: what is written down, examined where its anchors stand.

Serialized keys are parsed strictly; public keys met on the way name keys and bear witness; tokens
are confirmed. Every value is read again from the dump: what leaves are candidates and public keys,
no number of any private one. What the owners of keys are called is read when the keys are found
(``naming``).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from scanner.arrays import Flags
from scanner.detect import celled, encrypted, hexed, packed, respelled, strided
from scanner.detect.algebra import effort, publics
from scanner.detect.algebra.material import Ec, Ffc, Foreign, Material, Okp, Pqc, Rsa
from scanner.detect.algebra.publics import BARE, DECODED, PublicKey
from scanner.detect.asn1 import keys, x509
from scanner.detect.asn1.keys import Proved
from scanner.detect.ciphers import chacha, vectors
from scanner.detect.credentials import kingfisher, tokens
from scanner.detect.damaged import (
    fragments,
    headless,
    headless_pgp,
    headless_text,
    strewn,
    torn,
)
from scanner.detect.evidence import PROOFS
from scanner.detect.locked import javastore, keydb, pkcs12
from scanner.detect.locked.sealed import Sealed
from scanner.detect.openpgp import sexp, transferable
from scanner.detect.programs import (
    age,
    bitcoin,
    blob_texts,
    dnskey,
    dnssec,
    dpapi,
    kerberos,
    key_share,
    minisign,
    named_pairs,
    nkey,
    nostr,
    paired,
    stellar,
    tor,
    tpm,
    wallets,
    wireguard,
)
from scanner.detect.register import Registrar
from scanner.detect.ssh import blobs, openssh, putty, sshcom
from scanner.detect.structures import (
    golang,
    masked_token,
    openssh_shield,
    openssl,
    psa,
    sealed_memory,
    symcrypt,
)
from scanner.detect.texts import (
    dumped,
    encoded,
    jwk,
    nested,
    pem,
    printed,
    public_text,
    twice,
    xmlkey,
)
from scanner.dump.space import Memory
from scanner.errors import Unmapped
from scanner.fingerprint import Names
from scanner.model import Candidate, Confidence, Fault
from scanner.rules import Rule
from scanner.stages.calls import TOKENS, Proofs
from scanner.stages.limits import MOST_EFFORT, Limits
from scanner.stages.session import Session
from scanner.stages.sweep import Hits, sifted
from scanner.stages.unlock import unlock

Examine = Callable[[Memory, int, int, Rule], Iterator[Proved | PublicKey | Sealed]]

EXAMINERS: tuple[tuple[str, Examine], ...] = (
    ("keys", keys.examine),
    ("pem", pem.examine),
    ("fragment", fragments.examine),
    ("torn", torn.examine),
    ("x509", x509.examine),
    (public_text.NAME, nested.reading(public_text.examine, *public_text.PLAIN)),
    ("headless", headless.examine),
    ("ssh", blobs.examine),
    ("dnskey", dnskey.examine),
    ("key-share", key_share.examine),
    ("openssh", openssh.examine),
    ("openssh-shield", openssh_shield.examine),
    ("jwk", nested.reading(jwk.examine, jwk.MARK)),
    ("jwk-secret", nested.reading(jwk.examine_secret, jwk.MARK)),
    ("cng", blob_texts.examine),
    ("xmlkey", nested.reading(xmlkey.examine, *xmlkey.MARKS)),
    ("sexp", sexp.examine),
    ("encrypted", encrypted.examine),
    ("pgp", nested.reading(transferable.examine, transferable.ANCHOR)),
    ("pkcs12", nested.reading(pkcs12.examine)),
    ("javastore", javastore.examine),
    ("kerberos", nested.reading(kerberos.examine)),
    ("dpapi", dpapi.examine),
    ("tpm", tpm.examine),
    ("encoded", encoded.examine),
    ("twice", twice.examine),
    (packed.NAME, packed.examine),
    ("respelled", respelled.examine),
    ("hexed", hexed.examine),
    ("celled", celled.examine),
    (strided.NAME, strided.examine),
    ("dumped", dumped.examine),
    ("printed", printed.examine),
    ("putty", nested.reading(putty.examine, putty.MARK)),
    ("sshcom", nested.reading(sshcom.examine, sshcom.LABEL)),
    ("wireguard", nested.reading(wireguard.examine, wireguard.MARK)),
    ("age", nested.reading(age.examine, age.MARK)),
    ("age-recipient", age.recipient),
    ("minisign", nested.reading(minisign.examine, *minisign.MARKS)),
    ("dnssec", nested.reading(dnssec.examine, dnssec.MARK)),
    ("tor", nested.reading(tor.examine, tor.SECRET)),
    ("bitcoin", bitcoin.examine),
    ("nostr", nostr.examine),
    ("wallets", wallets.examine),
    ("stellar", stellar.examine),
    ("nkey", nkey.examine),
    ("named-pairs", named_pairs.examine),
    ("paired", paired.examine),
    ("chacha", chacha.examine),
    ("headless-text", headless_text.examine),
    ("headless-pgp", headless_pgp.examine),
    ("strewn", strewn.examine),
    ("symcrypt", symcrypt.examine),
    ("golang", golang.examine),
    ("openssl", openssl.examine),
    ("psa", psa.examine),
    ("sealed-memory", sealed_memory.examine),
    ("masked-token", masked_token.examine),
)
"""What a rule's ``detector`` names: (name, function of memory, space, offset and rule)."""

_EXAMINE = dict(EXAMINERS)

_TEXTS = (public_text.NAME, packed.NAME, strided.NAME)
"""The detectors of public keys as text."""

_ROWS = 1 << 14
"""Hits that are numbers of Python's at once: as these they take several times the memory."""

Hit = tuple[int, int, int]
"""Number of the rule, space and offset of an anchor."""

OPENED = "opened"
"""The detector of encrypted keys with their passphrase: it tries what the others found."""


def examine(session: Session, hits: Hits) -> Proofs:
    """Examine the hits of all rules but those of tokens."""
    candidates: list[Candidate] = []
    met = Registrar()
    for key in session.target.known:
        met.add(key)
    secrets = Names(session.target.fingerprint_key)
    parsed: list[Proved] = []
    sealed: list[Sealed] = []
    faults: list[Fault] = []
    with effort.bounded(MOST_EFFORT) as bound:
        for hit, found in _examine(session, hits, bound, faults):
            if isinstance(found, PublicKey):
                text = session.rules[hit[0]].detector in _TEXTS or found.witness.kind == DECODED
                met.add(found, hit, names=text and found.algorithm == "rsa")
            elif isinstance(found, Sealed):
                sealed.append(found)
            else:
                parsed.append(found)
    sealed = keydb.locked(sealed)
    opened = {id(one): key for one, key in _opened(session, sealed)}
    candidates += [_called(one, secrets) for one in sealed if id(one) not in opened]
    for one in (*parsed, *opened.values()):
        if value := _nameless(one.material):
            said = replace(one.candidate, published=vectors.source_of(value))
            candidates.append(_called(Sealed(candidate=said, value=value), secrets))
    named = [one for one in (*parsed, *opened.values()) if not _nameless(one.material)]
    candidates += [_witnessed(one, met) for one in named]
    for public in (_public(one.material) for one in named):
        if public is not None:
            met.add(public)
    return Proofs(candidates=tuple(candidates), publics=met.register(), faults=tuple(faults))


def _opened(session: Session, sealed: list[Sealed]) -> Iterator[tuple[Sealed, Proved]]:
    """Yield the encrypted keys whose passphrase was found, each with the private key that it is."""
    rule = next((rule for rule in session.rules if rule.detector == OPENED), None)
    if rule is None:
        return
    for one, parsed, how in unlock(session, sealed):
        said = one.candidate
        key = keys.candidate(parsed, rule, f"{said.encoding}, opened", said.places)
        protection = f"{said.protection}; {how}"
        yield one, Proved(candidate=replace(key, protection=protection), material=parsed.material)


def _witnessed(found: Proved, met: Registrar) -> Candidate:
    """Return a candidate, proved if the public half that its secret derives stands elsewhere."""
    said, key = found.candidate, found.material
    derives = key.seed if isinstance(key, Okp | Pqc) else isinstance(key, Ec | Ffc)
    if said.confidence is not Confidence.STRUCTURE or not derives:
        return said
    if said.fingerprint.value not in met:
        return said
    return replace(said, confidence=Confidence.PROOF, proof=PROOFS[type(key)])


def _nameless(key: Material) -> bytes:
    """Return what tells a key from others that has no public half here; empty for one that has."""
    if isinstance(key, Pqc) and not key.public:
        return key.expanded or key.seed
    return key.inner if isinstance(key, Foreign) and not key.spki else b""


def _called(found: Sealed, secrets: Names) -> Candidate:
    """Give copies of one secret without a public half one name."""
    said = found.candidate
    if said.fingerprint.value:
        return said
    return replace(said, fingerprint=secrets.of("sealed", found.value))


def _examine(
    session: Session, hits: Hits, bound: effort.Bound, faults: list[Fault]
) -> Iterator[tuple[Hit, Proved | PublicKey | Sealed]]:
    misled, limits = 0, Limits(session.memory, bound)
    texts = np.array([rule.detector in _TEXTS for rule in session.rules], np.bool_)
    for hit in _in_turn(sifted(session, hits), texts):
        rule = session.rules[hit[0]]
        if rule.detector == TOKENS or limits.forbid(rule):
            continue
        try:
            for found in examine_hit(session, hit):
                if not isinstance(found, PublicKey):
                    limits.tell(rule)
                yield hit, found
        except Unmapped:
            misled += 1
        except effort.Spent:
            pass  # the bound has counted it
        limits.read(rule)
    faults += limits.faults()
    if misled:
        text = f"{misled} candidates were not examined: they led to where the dump has no bytes."
        faults.append(Fault(code="unmapped", text=text))


def _in_turn(hits: Hits, texts: Flags) -> Iterator[Hit]:
    """Yield hits in their order, those of texts after all others, a few rows of numbers at a time.

    Of a key that stands in DER too, the text comes last: numbers are looked for near the DER.
    """
    for last in (False, True):
        for low in range(0, len(hits.rule), _ROWS):
            rows = low + np.flatnonzero(texts[hits.rule[low : low + _ROWS]] == last)
            columns = (column[rows].tolist() for column in (hits.rule, hits.space, hits.offset))
            yield from zip(*columns, strict=True)


def examine_hit(session: Session, hit: Hit) -> Iterator[Proved | PublicKey | Sealed]:
    """Yield what stands at an anchor's hit. Raises Unmapped."""
    index, space, offset = hit
    rule = session.rules[index]
    yield from _EXAMINE[rule.detector](session.memory, space, offset, rule)


def begin_tokens(session: Session, hits: Hits) -> None:
    """Load what knows tokens in a thread, beside whatever is asked next, if it will be needed."""
    mine = _of_tokens(session, hits)
    rules = session.target.token_rules
    if tokens.wanted(session.memory, hits.space[mine], hits.offset[mine], rules):
        loading = ThreadPoolExecutor(1).submit(kingfisher.scanner, rules)
        session.kept[begin_tokens] = loading


def find_tokens(session: Session, hits: Hits) -> Proofs:
    """Search the neighbourhoods of the hits of all token rules.

    A call of its own: whatever a foreign library does, the keys are proved.
    """
    begun = session.kept.pop(begin_tokens, None)
    if isinstance(begun, Future):
        begun.exception()  # what fails is told where it is used
    chosen = _of_tokens(session, hits)
    found = tokens.search(
        session.memory,
        hits.space[chosen],
        hits.offset[chosen],
        [session.rules[index] for index in hits.rule[chosen].tolist()],
        session.target.token_rules,
        session.target.fingerprint_key,
    )
    kingfisher.unload()
    return Proofs(candidates=found.candidates, witnesses=found.witnesses, faults=found.faults)


def _of_tokens(session: Session, hits: Hits) -> Flags:
    mine = [index for index, rule in enumerate(session.rules) if rule.detector == TOKENS]
    return np.isin(hits.rule, mine)


def _public(key: Material) -> PublicKey | None:
    """Take the public half of a parsed key for one to look for; it names nobody."""
    match key:
        case Rsa():
            return publics.rsa(key.n, key.e, kind=BARE)
        case Ec():
            return publics.ec(key.curve, key.x, key.y, kind=BARE)
        case Okp():
            return publics.okp(key.algorithm, key.public, kind=BARE)
        case Ffc():
            return publics.ffc(key.algorithm, key.p, key.q, key.g, key.y, kind=BARE, more=key.more)
        case Pqc():
            return publics.pqc(key.algorithm, key.public, kind=BARE)
        case Foreign():
            return None
