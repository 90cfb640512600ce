"""Targets beneath the detectors: readers of whole objects, which need no anchor to begin.

They are fast, so that most executions are theirs; and what they read they are asked to read again.
"""

import base64
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from fixtures import (
    aes,
    containers,
    encodings,
    keystores,
    pgp,
    pqc,
    sealed,
    secrets,
    services,
    symmetric,
    tpm,
)
from fixtures import keys as recipes
from fixtures import tokens as token_recipes
from scanner import ruleanchors
from scanner.detect import encrypted, factors
from scanner.detect.algebra import mldsa, mlkem
from scanner.detect.asn1 import ber, der, keys, x509
from scanner.detect.asn1 import pqc as pqc_keys
from scanner.detect.ciphers import schedules
from scanner.detect.credentials import checksums, jwt, literals
from scanner.detect.cursor import Mismatch
from scanner.detect.encodings import armour, bech32, escapes
from scanner.detect.integers.runs import Runs
from scanner.detect.locked import pbe, phrases, pkcs12, pvk
from scanner.detect.openpgp import grammar, pgparmour
from scanner.detect.programs import dnssec, kerberos, minisign
from scanner.detect.programs import tpm as tpm_areas
from scanner.detect.ssh import blobs, openssh_fields, putty
from scanner.detect.texts.encoded import Decoded
from scanner.dump import space
from scanner.model import Layout, Place
from scanner.stages.relate import SCHEDULES
from tests.fuzz import checks, mutators
from tests.fuzz.files import file_of
from tests.fuzz.target import Target

RSA, EC, ED = recipes.rsa_key(1024), recipes.ec_key(), recipes.okp_key("ed25519")
X, SMALL = recipes.okp_key("x25519"), recipes.rsa_key(512)
ALL: tuple[recipes.Key, ...] = (RSA, EC, recipes.ec_key("P-521"), ED, X)

_B64 = mutators.base64_of()
_FIELDS = (mutators.numbers, mutators.elsewhere)
_WORDS = (b"\n-----END RSA PRIVATE KEY-----", b"\\n", b"\\u002b", b"=", b"==")
_JSON = (b"NaN", b"1e999", b"{", b"[", b"null", b'"', b"\\ud800", b"-1")


def _der(data: bytes) -> None:
    """Read elements as they come: what is read and what is written are the same bytes."""
    try:
        _walk(der.Reader(data))
    except der.Malformed as error:
        checks.refusal(error)
    size = der.total_size(data[: der.BACK])
    assert size is None or 2 <= size <= der.LIMIT
    for at in range(min(len(data), 8)):
        assert all(0 <= start < at for start in der.headers_before(data, at))


def _walk(reader: der.Reader) -> None:
    while (tag := reader.peek()) != -1:
        if tag == der.INTEGER:
            number = reader.integer()
            size = max((number + (number < 0)).bit_length() // 8 + 1, 1)
            assert number.to_bytes(size, "big", signed=True)
        elif tag & 0x20:
            _walk(reader.enter(tag))
        elif tag == der.BIT_STRING:
            reader.bits()
        else:
            whole = reader.element()
            assert der.write(tag, der.Reader(whole).content(tag)) == whole
    reader.finish()


def _ber(data: bytes) -> None:
    try:
        written, size = ber.to_der(data)
    except der.Malformed as error:
        checks.refusal(error)
        return
    assert 2 <= size <= len(data)
    try:
        assert ber.to_der(written) == (written, len(written)), "what was written is not DER"
    except der.Malformed:
        raise AssertionError("what was written cannot be read") from None


def _private(data: bytes) -> None:
    parsed = keys.parse_private(data)
    if parsed is not None:
        assert 2 <= parsed.size <= len(data)
        checks.material(parsed.material)
        again = keys.parse_private(data[: parsed.size])
        assert again is not None, "what follows an object matters"
        assert (again.form, again.proof) == (parsed.form, parsed.proof)


def _envelope(data: bytes) -> None:
    found = pbe.parse(data)
    if found is not None:
        assert found.size <= len(data)
        assert found.ciphertext in data
        checks.untold(found.protection, found.ciphertext)
        checks.lock(found.lock, data)
    found_pvk = pvk.read(data)
    if found_pvk is not None:
        assert found_pvk.size <= len(data)
        checks.lock(found_pvk.lock, data)


def _publics(data: bytes) -> None:
    for read in (x509.from_spki, x509.from_certificate, x509.from_signed_part, tpm_areas.wrapped):
        found = read(data)
        if found is not None:
            assert len(x509.labelled(found).witness.fingerprint.value) == 64


def _pkcs12(data: bytes) -> None:
    for bag in pkcs12.shrouded(data):
        plain = pkcs12.opened(bag)
        if plain:
            keys.parse_private(plain)


def _ber_store(data: bytes) -> None:
    try:
        whole, _ = ber.to_der(data)
    except der.Malformed:
        return
    pkcs12.shrouded(whole)


_PQC = sorted(pqc_keys.ALGORITHMS.values())


def _post_quantum(data: bytes) -> None:
    algorithm = _PQC[(data[:1] or b"\0")[0] % len(_PQC)]
    try:
        found = pqc_keys.read(algorithm, data[1:])
    except der.Malformed as error:
        checks.refusal(error)
        return
    checks.material(found.material)


def _pqc_seeds() -> Iterable[bytes]:
    for number, name in enumerate(_PQC):
        if name.startswith("slh"):
            yield bytes((number,)) + pqc.slh(name)
        else:
            yield bytes((number,)) + keystores.tlv(0x80, pqc.seed(name))
        if name in mldsa.SETS:
            yield bytes((number,)) + keystores.tlv(4, mldsa.keys(name, pqc.seed(name))[1])
        if name.startswith("ml-kem"):
            yield bytes((number,)) + keystores.tlv(4, pqc.decapsulation_key(name)[0])
            seed = pqc.seed(name)
            yield bytes((number,)) + keystores.tlv(4, mlkem.keys(name, seed[:32], seed[32:])[1])


def _ssh(data: bytes) -> None:
    for read in (openssh_fields.read, openssh_fields.read_file):
        found = read(data)
        if found is not None:
            assert found.size <= len(data)
            checks.material(found.key)
    other = openssh_fields.strange(data)
    if other is not None:
        assert other[1] <= len(data)
        checks.material(other[0])
    blob = blobs.read(data)
    assert blob is None or blob[1] <= len(data)
    closed = encrypted.read(data)
    assert closed is None or closed.size <= len(data)
    openssh_fields.padded(data)


def _ssh_seeds() -> Iterable[bytes]:
    for key in (RSA, EC, ED):
        yield containers.openssh_fields(key)
        yield containers.ssh_blob(key)
        yield containers.openssh_file(key)
        yield containers.openssh_file(key).replace(b"ssh-ed25519", b"ssh-mldsa44")
        yield sealed.openssh(key)
        yield containers.ssh_certificate(key)


def _putty(data: bytes) -> None:
    file = putty.read(data)
    if file is None:
        return
    assert file.size <= len(data)
    key = putty.key_of(file)
    putty.authentic(file)
    checks.lock(putty.lock(file), data)
    if key is not None:
        checks.material(key[0])


def _packets(data: bytes) -> None:
    at = 0
    for _ in range(16):
        head = grammar.header(data, at)
        if head is None:
            break
        body = data[at + head.size : at + head.size + head.body]
        for secret in (True, False):
            try:
                read = grammar.read(body, secret=secret)
            except Mismatch as error:
                checks.refusal(error)
                continue
            assert read.size <= len(body)
        at += head.size + head.body
    assert all(header.size <= 6 for header in grammar.headers_before(data[:6]))
    assert all(0 <= start < len(data) for start in grammar.bodies_before(data))


def _dearmored(data: bytes) -> None:
    plain = escapes.undone(data)
    assert plain.size(len(plain.text)) == len(data)
    found, used, _ = pgparmour.dearmor(data)
    assert used <= len(data)
    assert len(found) <= len(data)
    text = armour.Text(memory=Decoded(data), space=0, offset=0, width=1)
    object_of = armour.find_object(text)
    assert object_of is None or object_of[1] <= len(data)
    gathered, end = armour.gather(data)
    assert len(gathered) <= len(data) >= end
    armour.decode(gathered[: len(gathered) & ~3])
    run = armour.around(data, len(data) // 2)
    if run is not None:
        assert len(run.places) <= len(data)
        assert all(low <= high for low, high in pairwise(run.places))
        assert 0 <= run.at < len(run.chars)


def _service_texts(data: bytes) -> None:
    """Read the small texts of services, each by its own reader."""
    file = minisign.read(data)
    assert file is None or file.size <= len(data)
    zone = dnssec.read(data)
    if zone is not None:
        assert zone[2] <= len(data)
        checks.material(zone[0])
    word = data[:80].decode("latin-1")
    secret = bech32.decode("age-secret-key-", word)
    assert secret is None or bech32.encode("age-secret-key-", secret) == word


def _tickets(data: bytes) -> None:
    for read in (kerberos.keytab, kerberos.cache):
        found = read(data)
        if found is not None:
            assert 0 < found.size <= len(data)


def _web_token(data: bytes) -> None:
    for width in (1, 2):
        found = jwt.read(Decoded(data), 0, 0, width)
        if found is not None:
            assert len(found[0]) * width <= len(data)


def _numbers(data: bytes) -> None:
    """Take the input for a chain of numbers, each behind its length."""
    chain: list[int] = []
    at = 0
    while at + 1 < len(data) and len(chain) < 8:
        size = data[at] or 64
        chain.append(int.from_bytes(data[at + 1 : at + 1 + size], "big"))
        at += 1 + size
    found = factors.claim(chain)
    if found is not None:
        checks.material(found.key)


def _chains() -> Iterable[bytes]:
    key = SMALL
    numbers = [key.n, key.e, key.d, key.p, key.q, key.d % (key.p - 1), key.d % (key.q - 1)]
    numbers.append(pow(key.q, -1, key.p))
    rows = [n.to_bytes((n.bit_length() + 7) // 8, "big") for n in numbers]
    for first in range(6):
        yield b"".join(bytes((len(row),)) + row for row in rows[first:])


def _schedules(data: bytes) -> None:
    """Take the input for one run of random-looking bytes, and look for expanded keys in it."""
    if not data:
        return
    space_map, _ = space.build(Layout(format="raw"), len(data))
    memory = space.Memory(space_map, file_of(data))
    nought, end = np.zeros(1, np.int64), np.array([len(data)], np.int64)
    runs = Runs(space=nought, start=nought, end=end)
    for _, found in schedules.search(memory, runs, [find for _, find in SCHEDULES]):
        checks.within(found.place, len(data))


def _expanded() -> Iterable[bytes]:
    for bits in (128, 192, 256):
        schedule = aes.expand(aes.key(bits))
        yield schedule
        yield aes.swapped(aes.decryption(schedule))
    yield symmetric.des(symmetric.key(8))
    yield symmetric.triple_des(symmetric.key(24))
    yield symmetric.sm4(symmetric.key(16))


def _phrases(data: bytes) -> None:
    """Look for texts that may be a passphrase; what is found stands there."""
    whole = Place(space=0, offset=0, size=len(data))
    key = Place(space=0, offset=len(data) // 2, size=1)
    for text in phrases.gather(Decoded(data), [whole], [key]):
        assert phrases.SHORTEST <= len(text) <= phrases.LONGEST
        assert text.encode() in data or text.encode() in data[::2] or text.encode() in data[1::2]


def _checksum(data: bytes) -> None:
    assert checksums.holds(data) in (True, False, None)


def _expression(data: bytes) -> None:
    for lead in literals.leads(data.decode("utf-8", "replace")):
        assert lead.text
        assert 0 <= lead.tail <= ruleanchors.LONGEST


TARGETS = (
    Target(
        name="der",
        covers=("detect.asn1.der",),
        run=_der,
        seeds=lambda: [*(encodings.pkcs8_der(key) for key in ALL), encodings.certificate_der(EC)],
        mutate=(mutators.der,),
        longest=2048,
        weight=3,
    ),
    Target(
        name="ber",
        covers=("detect.asn1.ber",),
        run=_ber,
        seeds=lambda: [keystores.pkcs12_ber(EC), encodings.pkcs8_der(EC)],
        mutate=(mutators.der, mutators.elsewhere),
        longest=2048,
        weight=2,
    ),
    Target(
        name="private-key",
        covers=(
            "detect.asn1.keys",
            "detect.algebra.groups",
            "detect.evidence",
            "detect.algebra.material",
        ),
        run=_private,
        seeds=lambda: [
            *(encodings.pkcs8_der(key) for key in ALL),
            encodings.pkcs1_der(SMALL),
            encodings.sec1_der(EC),
            encodings.sec1_der(EC, with_public=False),
            encodings.okp_pkcs8_der(ED, with_public=True),
        ],
        mutate=(mutators.der, mutators.der),
        longest=2048,
        weight=4,
    ),
    Target(
        name="envelope",
        covers=(
            "detect.locked.pbe",
            "detect.locked.pvk",
            "detect.encrypted",
            "detect.locked.locks",
        ),
        run=_envelope,
        seeds=lambda: [sealed.pkcs8_der(EC), keystores.jks(EC)[-400:], sealed.pvk(SMALL)],
        mutate=(mutators.der, mutators.der, mutators.numbers),
        longest=2048,
        weight=6,
    ),
    Target(
        name="public-key",
        covers=("detect.asn1.x509", "detect.algebra.publics", "detect.programs.tpm"),
        run=_publics,
        seeds=lambda: [
            *(encodings.spki_der(key) for key in ALL),
            encodings.certificate_der(EC),
            encodings.certificate_der(RSA),
            tpm.tss2_der(EC),
            *(pqc.spki(name, pqc.decapsulation_key(name)[1]) for name in ("ml-kem-512",)),
        ],
        mutate=(mutators.der, mutators.der),
        longest=2048,
        weight=3,
    ),
    Target(
        name="pkcs12-store",
        covers=("detect.locked.pkcs12",),
        run=_pkcs12,
        seeds=lambda: [
            keystores.pkcs12_open(EC, 1),
            keystores.pkcs12_open_3des(EC),
            keystores.pkcs12_password(EC),
        ],
        mutate=(mutators.der, mutators.der),
        weight=2,
    ),
    Target(
        name="pkcs12-ber",
        covers=("detect.locked.pkcs12", "detect.asn1.ber"),
        run=_ber_store,
        seeds=lambda: [keystores.pkcs12_ber(EC)],
        mutate=(mutators.der, mutators.elsewhere),
        weight=4,
    ),
    Target(
        name="post-quantum",
        covers=("detect.asn1.pqc", "detect.algebra.mldsa", "detect.algebra.mlkem"),
        run=_post_quantum,
        seeds=_pqc_seeds,
        mutate=(mutators.der,),
        longest=8192,
        weight=6,
    ),
    Target(
        name="ssh-wire",
        covers=(
            "detect.ssh.openssh",
            "detect.ssh.openssh_fields",
            "detect.ssh.blobs",
            "detect.encrypted",
        ),
        run=_ssh,
        seeds=_ssh_seeds,
        mutate=_FIELDS,
        longest=2048,
        weight=5,
    ),
    Target(
        name="putty-file",
        covers=("detect.ssh.putty", "detect.locked.locks"),
        run=_putty,
        seeds=lambda: (
            [
                sealed.putty(key, version, encrypted=closed)
                for key in (RSA, EC, ED)
                for version in (2, 3)
                for closed in (True, False)
            ]
            + [sealed.putty(ED, encrypted=True).replace(b"-Memory: 8192", b"-Memory: 64")]
        ),
        mutate=(_B64, mutators.words, mutators.base64_of(mutators.numbers), mutators.elsewhere),
        longest=3072,
        weight=3,
    ),
    Target(
        name="pgp-packets",
        covers=("detect.openpgp.grammar", "detect.openpgp.transferable"),
        run=_packets,
        seeds=lambda: [
            *(pgp.packet(key) for key in (RSA, EC, ED)),
            *(pgp.versioned(RSA, version) for version in (3, 5)),
            *(pgp.encrypted(EC, usage=usage) for usage in (9, 253, 254, 255)),
            pgp.native(ED, 6),
            pgp.public_packet(EC),
        ],
        mutate=_FIELDS,
        longest=2048,
        weight=5,
    ),
    Target(
        name="armour",
        covers=("detect.encodings.armour", "detect.encodings.escapes", "detect.openpgp.pgparmour"),
        run=_dearmored,
        seeds=lambda: [
            pgp.armour(pgp.packet(EC)),
            pgp.armour(pgp.packet(ED), "crlf"),
            encodings.pkcs8_pem(EC),
            encodings.pkcs8_pem(ED).replace(b"\n", b"\\n"),
            base64.b64encode(encodings.pkcs8_der(EC)),
        ],
        mutate=(_B64, mutators.literal(_WORDS), mutators.elsewhere),
        longest=1024,
        weight=2,
    ),
    Target(
        name="service-texts",
        covers=(
            "detect.programs.minisign",
            "detect.programs.dnssec",
            "detect.programs.age",
            "detect.encodings.bech32",
        ),
        run=_service_texts,
        seeds=lambda: [
            services.minisign(ED),
            services.minisign(ED, encrypted=True),
            services.signify(ED),
            services.dnssec(EC),
            services.dnssec(SMALL),
            services.dnssec(ED),
            services.age(X)[15:].lower().strip(),
        ],
        mutate=(_B64, mutators.words, mutators.elsewhere),
        longest=1024,
        weight=3,
    ),
    Target(
        name="kerberos-files",
        covers=("detect.programs.kerberos",),
        run=_tickets,
        seeds=lambda: [secrets.keytab(), *(secrets.ccache(version) for version in (3, 4))],
        mutate=_FIELDS,
        longest=2048,
        weight=6,
    ),
    Target(
        name="web-token",
        covers=("detect.credentials.jwt",),
        run=_web_token,
        seeds=lambda: [token_recipes.jwt(), token_recipes.jwt().decode().encode("utf-16-le")],
        mutate=(_B64, mutators.base64_of(mutators.literal(_JSON)), mutators.wide),
        longest=2048,
        weight=6,
    ),
    Target(
        name="rsa-chain",
        covers=("detect.factors",),
        run=_numbers,
        seeds=_chains,
        mutate=_FIELDS,
        longest=1024,
    ),
    Target(
        name="schedules",
        covers=(
            "detect.ciphers.schedules",
            "detect.ciphers.aes",
            "detect.ciphers.des",
            "detect.ciphers.sm4",
        ),
        run=_schedules,
        seeds=_expanded,
        mutate=_FIELDS,
        longest=512,
    ),
    Target(
        name="phrases",
        covers=("detect.locked.phrases",),
        run=_phrases,
        seeds=lambda: [
            b'\0password=Tr0ub4dor&3, x\0--pass \'hunter22\' {"secret": "a b c d"}\0',
            "passphrase: correct horse".encode("utf-16-le"),
        ],
        mutate=(mutators.wide, mutators.elsewhere, mutators.literal((b"pwd=", b"\0", b'": "'))),
        longest=512,
    ),
    Target(
        name="token-checksum",
        covers=("detect.credentials.checksums",),
        run=_checksum,
        seeds=lambda: [token_recipes.github(), b"glsa_" + b"a" * 32 + b"_0123abcd"],
        mutate=(mutators.elsewhere,),
        longest=64,
    ),
    Target(
        name="expression",
        covers=("detect.credentials.literals", "detect.credentials.kingfisher"),
        run=_expression,
        seeds=lambda: [
            rb"(?i)(?:Facebook)(?:[ \t\w.-]{0,20})x",
            rb"mongodb(?:\+srv)?://[^a]\x41[[:alnum:]]{3}-abcdefgh{2}?",
            rb"(?x) new  # a comment",
        ],
        mutate=(
            mutators.elsewhere,
            mutators.literal((b"{9,}", b"[[:", b"(?-i", b"\\x4", b"|", b")")),
        ),
        longest=256,
        weight=2,
    ),
)
