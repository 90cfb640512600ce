"""Targets where anchors stand: each detector, over the examples of its rules.

The bytes around an anchor are changed more often than the anchor, without which nothing is read.
"""

import functools
import re
from collections.abc import Callable, Iterable
from typing import get_args

import numpy as np

from fixtures import containers, openssl, pgp
from fixtures import keys as recipes
from fixtures import tokens as token_recipes
from scanner import rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.detect.credentials import kingfisher, tokens
from scanner.detect.structures import golang, masked_token, openssh_shield, psa, sealed_memory
from scanner.detect.structures import openssl as openssl_objects
from scanner.detect.texts.encoded import Decoded
from scanner.dump import space
from scanner.model import Layout, Region
from scanner.rules import Rule
from scanner.stages.calls import TOKENS
from scanner.stages.examine import EXAMINERS, Examine
from tests.fuzz import checks, mutators
from tests.fuzz.files import file_of
from tests.fuzz.target import Mutate, Target
from tests.test_rules import resolve

RULES = rules.load()

_WORDS = (b"PRIVATE KEY-----", b"\n-----END RSA PRIVATE KEY-----", b"\\n", b"\\u002b", b"=", b"==")


@functools.cache
def _rules_of(detector: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.detector == detector)


@functools.cache
def _sweeper(detector: str) -> anchors.Sweeper:
    return anchors.open_sweeper(anchors.compile_anchors(_rules_of(detector)))


def _spans(detector: str, data: bytes) -> list[tuple[int, int]]:
    """Say where the anchors of a detector start and end in an input."""
    found = []
    for index, at in _sweeper(detector).sweep(data)[:64]:
        for anchor in _rules_of(detector)[index].anchors:
            size = len(anchor.low)
            found += [(at, at + size)] * bool(
                re.match(anchor.expression, data[at : at + size], re.DOTALL)
            )
    return found


def _examples(detector: str) -> Iterable[bytes]:
    for rule in _rules_of(detector):
        for example in (*rule.examples, *rule.counterexamples):
            key = "rsa-1024" if example.key.startswith("rsa-") else example.key
            yield resolve(key, example.encoding) if key else example.data


def _detector(
    name: str,
    *covers: str,
    mutate: tuple[Mutate, ...] = (),
    seeds: Callable[[], Iterable[bytes]] = tuple,
    longest: int = 4096,
) -> Target:
    examine = dict(EXAMINERS)[name]

    def run(data: bytes) -> None:
        memory = Decoded(data)
        for index, offset in _sweeper(name).sweep(data):
            for found in examine(memory, 0, offset, _rules_of(name)[index]):  # type: ignore[arg-type] # clip alone is used
                checks.finding(found, len(data))

    blind = mutators.anchored(functools.partial(_spans, name))
    return Target(
        name=f"at-{name}",
        covers=covers or (examine.__module__.removeprefix("scanner."),),
        run=run,
        seeds=lambda: (*_examples(name), *seeds()),
        mutate=(blind, blind, *mutate),
        longest=longest,
    )


_B64 = mutators.base64_of()
_B64_DER = mutators.base64_of(mutators.der)
_PEM = (_B64, _B64_DER, mutators.wide, mutators.literal(_WORDS))
_WIDE = (mutators.wide,)

_ANCHORED = (
    _detector("keys", "detect.asn1.keys", "detect.asn1.foreign", mutate=(mutators.der,)),
    _detector(
        "pem",
        "detect.texts.pem",
        "detect.encodings.armour",
        "detect.texts.labelled",
        "detect.texts.expanded",
        mutate=_PEM,
    ),
    _detector("fragment", "detect.damaged.fragments", mutate=(*_PEM, mutators.der)),
    _detector(
        "strewn",
        "detect.damaged.strewn",
        "detect.damaged.strewn_rsa",
        "detect.encodings.stride",
        mutate=(_B64, mutators.base64_of(mutators.der), *_WIDE),
    ),
    _detector("torn", mutate=(_B64, mutators.numbers, mutators.base64_of(mutators.numbers))),
    _detector("twice", mutate=(_B64, mutators.base64_of(_B64), *_WIDE)),
    _detector("packed", mutate=(_B64, mutators.base64_of(_B64), *_WIDE)),
    _detector("respelled", mutate=(_B64, *_WIDE)),
    _detector("celled", longest=1 << 15),
    _detector("hexed", mutate=(mutators.hex_of(), mutators.words, *_WIDE)),
    _detector("strided", "detect.strided", "detect.inner", longest=1 << 14),
    _detector("dumped", mutate=(mutators.hex_of(mutators.der), mutators.words, *_WIDE)),
    _detector("printed", mutate=(mutators.hex_of(), mutators.words, *_WIDE)),
    _detector("x509", mutate=(mutators.der,)),
    _detector("public-text", "detect.texts.public_text", mutate=_PEM),
    _detector(
        "headless", "detect.damaged.headless", "detect.damaged.headless_dsa", mutate=(mutators.der,)
    ),
    _detector("headless-text", "detect.damaged.headless_text", mutate=_PEM),
    _detector(
        "headless-pgp",
        "detect.damaged.headless_pgp",
        mutate=(_B64, mutators.base64_of(mutators.numbers), mutators.wide),
    ),
    _detector("ssh", mutate=(_B64, mutators.numbers)),
    _detector("dnskey", mutate=(mutators.numbers,)),
    _detector("key-share", mutate=(mutators.numbers,)),
    _detector("openssh", mutate=(_B64, mutators.base64_of(mutators.numbers), mutators.numbers)),
    _detector("jwk", "detect.texts.jwk", "detect.texts.nested", mutate=(_B64, *_WIDE)),
    _detector("jwk-secret", "detect.texts.jwk", mutate=(_B64, *_WIDE)),
    _detector(
        "cng",
        "detect.programs.cng",
        "detect.programs.blob_texts",
        "detect.programs.dsa_blobs",
        mutate=(_B64, mutators.base64_of(mutators.numbers), mutators.numbers, *_WIDE),
    ),
    _detector("xmlkey", "detect.texts.xmlkey", "detect.texts.nested", mutate=(_B64, *_WIDE)),
    _detector(
        "sexp",
        "detect.openpgp.sexp",
        "detect.openpgp.members",
        mutate=(mutators.hex_of(), mutators.words, *_WIDE),
    ),
    _detector("encrypted", mutate=(*_PEM, mutators.der, mutators.words, mutators.numbers)),
    _detector(
        "pgp",
        "detect.openpgp.transferable",
        "detect.openpgp.pgplock",
        "detect.openpgp.strange_pgp",
        mutate=(_B64, mutators.numbers, mutators.base64_of(mutators.numbers)),
        seeds=lambda: [
            pgp.encrypted(recipes.ec_key()).replace(b"saltsalt\xff", b"saltsalt\0"),
            pgp.armour(pgp.strange(6, 32, bytes(range(32)), bytes(range(64)), old=False)),
            pgp.armour(pgp.strange(5, 8, bytes(range(99)), bytes(range(64)), old=True)),
        ],
    ),
    _detector("pkcs12", "detect.locked.pkcs12", mutate=(mutators.der,)),
    _detector("javastore", mutate=(mutators.numbers,)),
    _detector("kerberos", mutate=(mutators.numbers, mutators.elsewhere)),
    _detector("dpapi", mutate=(mutators.numbers,)),
    _detector("tpm", mutate=(mutators.numbers, *_PEM)),
    _detector(
        "encoded",
        "detect.texts.encoded",
        "detect.encodings.spelled",
        mutate=(_B64, _B64_DER, mutators.base64_of(_B64_DER), mutators.hex_of(mutators.der)),
    ),
    _detector("putty", mutate=(_B64, mutators.words, mutators.base64_of(mutators.numbers))),
    _detector("wireguard", mutate=(_B64, *_WIDE)),
    _detector("age", mutate=_WIDE),
    _detector("age-recipient", "detect.programs.age", mutate=_WIDE),
    _detector("minisign", mutate=(_B64, *_WIDE)),
    _detector("dnssec", mutate=(_B64, mutators.words, *_WIDE)),
    _detector("tor", mutate=(_B64, *_WIDE)),
    _detector("bitcoin", mutate=(mutators.base58, *_WIDE)),
    _detector("nostr", mutate=_WIDE),
    _detector("wallets", mutate=(_B64, *_WIDE)),
    _detector("stellar", mutate=_WIDE),
    _detector("nkey", mutate=_WIDE),
    _detector(
        "named-pairs",
        "detect.programs.named_pairs",
        "detect.encodings.z85",
        mutate=(_B64, mutators.hex_of(), *_WIDE),
    ),
    _detector("paired", mutate=(_B64, *_WIDE)),
    _detector("sshcom", mutate=(_B64, mutators.base64_of(mutators.numbers), mutators.numbers)),
    _detector("chacha", mutate=(mutators.numbers,)),
    _detector("symcrypt", "detect.structures.symcrypt", mutate=(mutators.numbers,)),
)


def _pointed(detector: str, examine: Examine, data: bytes) -> None:
    """Read keys out of two regions, whose pointers lead to each other or elsewhere."""
    half = len(data) // 2
    regions = (
        Region(start=0x5585_0000_0000, size=half, file_offset=0),
        Region(start=0x7F19_0000_0000, size=len(data) - half, file_offset=half),
    )
    file = file_of(data)
    space_map, _ = space.build(
        Layout(format="elfcore", regions=tuple(r for r in regions if r.size)), len(data)
    )
    memory = space.Memory(space_map, file)
    pointing = _rules_of(detector)
    for number in range(len(space_map.size)):
        raw = memory.read(number, 0, int(space_map.size[number]))
        for index, offset in _sweeper(detector).sweep(raw):
            for found in examine(memory, number, offset, pointing[index]):
                if isinstance(found, Proved):
                    checks.material(found.material)


def _shields() -> Iterable[bytes]:
    for key in (recipes.ec_key(), recipes.okp_key()):
        blob = containers.openssh_shielded(key)
        heap = bytearray(len(containers.PREKEY))
        struct = containers.openssh_struct(0x5585_0000_0800, len(blob), 0x7F19_0000_0000)
        heap[0x200 : 0x200 + len(struct)] = struct
        heap[0x800 : 0x800 + len(blob)] = blob
        yield bytes(heap) + containers.PREKEY
        whole = containers.openssh_sshkey(
            key, 0x5585_0000_0800, len(blob), 0x7F1A_0000_0000, 0x5585_0000_0400
        )
        heap[0x100 : 0x100 + len(whole)] = whole
        yield bytes(heap) + containers.PREKEY


def _sealed() -> Iterable[bytes]:
    for key in (recipes.ec_key(), recipes.okp_key()):
        yield containers.sequoia_heap(key, 0x5585_0000_0000) + bytes(0x100)


def _tokens_of_softhsm() -> Iterable[bytes]:
    for key in (recipes.ec_key(), recipes.okp_key(), recipes.rsa_key()):
        yield containers.softhsm_heap(key, 0x5585_0000_0000) * 2


def _objects() -> Iterable[bytes]:
    for form in get_args(openssl.Form):
        for curve in ("P-224", "P-521"):
            yield openssl.ec_object(recipes.ec_key(curve), form=form) * 2
    for algorithm in openssl.TYPES:
        yield openssl.okp_object(recipes.okp_key(algorithm)) * 2
        yield openssl.pkey_object(recipes.okp_key(algorithm)) * 2


def _structures() -> Iterable[bytes]:
    for curve in ("P-256", "P-521"):
        yield containers.go_object(recipes.ec_key(curve), 0x5585_0000_0000) * 2
        yield containers.go_integers(recipes.ec_key(curve), 0x5585_0000_0000)
    yield containers.go_slice(recipes.okp_key("ed25519"), 0x5585_0000_0000) * 2


def _slots() -> Iterable[bytes]:
    for curve in ("P-256", "P-521"):
        heap = bytearray(0x400)
        slot = containers.psa_slot(curve, 0x5585_0000_0300)
        heap[0x100 : 0x100 + len(slot)] = slot
        heap[0x300:0x340] = bytes(range(64))
        yield bytes(heap) * 2


def _tokens(data: bytes) -> None:
    hits = _sweeper(TOKENS).sweep(data)
    named = [_rules_of(TOKENS)[index] for index, _ in hits]
    offsets = np.array([offset for _, offset in hits], np.int64)
    found = tokens.search(Decoded(data), np.zeros(len(hits), np.int64), offsets, named)
    assert not found.faults or not kingfisher.available(), "the library failed"
    for candidate in found.candidates:
        for place in candidate.places:
            checks.within(place, len(data))


TARGETS = (
    *_ANCHORED,
    Target(
        name="shielded",
        covers=("detect.structures.openssh_shield",),
        run=functools.partial(_pointed, "openssh-shield", openssh_shield.examine),
        seeds=_shields,
        mutate=(mutators.numbers,),
        longest=34_000,
    ),
    Target(
        name="sealed",
        covers=("detect.structures.sealed_memory",),
        run=functools.partial(_pointed, "sealed-memory", sealed_memory.examine),
        seeds=_sealed,
        mutate=(mutators.numbers,),
        longest=70_000,
    ),
    Target(
        name="masked",
        covers=("detect.structures.masked_token", "detect.structures.walk"),
        run=functools.partial(_pointed, "masked-token", masked_token.examine),
        seeds=_tokens_of_softhsm,
        mutate=(mutators.numbers,),
        longest=30_000,
    ),
    Target(
        name="objects",
        covers=("detect.structures.openssl",),
        run=functools.partial(_pointed, "openssl", openssl_objects.examine),
        seeds=_objects,
        mutate=(mutators.numbers,),
        longest=4096,
    ),
    Target(
        name="structures",
        covers=("detect.structures.golang",),
        run=functools.partial(_pointed, "golang", golang.examine),
        seeds=_structures,
        mutate=(mutators.numbers,),
        longest=4096,
    ),
    Target(
        name="slots",
        covers=("detect.structures.psa",),
        run=functools.partial(_pointed, "psa", psa.examine),
        seeds=_slots,
        mutate=(mutators.numbers,),
        longest=4096,
    ),
    Target(
        name="tokens",
        covers=("detect.credentials.tokens", "detect.credentials.kingfisher"),
        run=_tokens,
        seeds=lambda: [
            token_recipes.github(),
            token_recipes.slack(),
            token_recipes.jwt(),
            token_recipes.aws_id() + b" " + token_recipes.aws_secret(),
            token_recipes.password(),
            token_recipes.github().decode().encode("utf-16-le"),
        ],
        mutate=(mutators.wide, mutators.elsewhere),
        longest=1024,
    ),
)
