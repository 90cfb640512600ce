"""Rules as data: what is shipped is sound, and what is not a rule is refused."""

import base64
import codecs
import dataclasses
import functools
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import (
    containers,
    encodings,
    keystores,
    pgp,
    pqc,
    sealed,
    secrets,
    services,
    symcrypt,
    symmetric,
    tpm,
)
from fixtures import keys as recipes
from scanner import ruleanchors, rulecheck, rules
from scanner.detect import anchors
from scanner.detect.asn1.keys import Proved
from scanner.errors import RuleError
from scanner.model import Severity
from scanner.rules import Rule
from scanner.stages.examine import EXAMINERS
from scanner.stages.relate import AGAIN
from tests.detect.one_space import Bytes

SHIPPED = rules.load()
POINTED = ("golang", "openssh-shield", "openssl", "psa", "sealed-memory", "masked-token")
LINED = ("pem", "fragment")
"""Detectors whose anchor ends the first line of what they find."""

DETECTORS = {name: examine for name, examine in EXAMINERS if name not in POINTED}
CURVE_NAMES = {"ec-p256": "P-256", "ec-p384": "P-384", "ec-p521": "P-521", "secp256k1": "secp256k1"}


def cut(text: bytes) -> bytes:
    """Return three quarters of a text: the END line of a short one is more than a tenth."""
    return text[: len(text) * 3 // 4]


def twofold(data: bytes) -> bytes:
    """Return base64 of base64."""
    return base64.b64encode(b"data: " + base64.b64encode(data))


def packed(data: bytes) -> bytes:
    """Return a gzip member."""
    return gzip.compress(data, mtime=0)


FORMS: dict[str, Callable[..., bytes]] = {
    "pkcs1-der": encodings.pkcs1_der,
    "pkcs1-pem": encodings.pkcs1_pem,
    "pkcs8-der": encodings.pkcs8_der,
    "pkcs8-pem": encodings.pkcs8_pem,
    "sec1-der": encodings.sec1_der,
    "sec1-pem": encodings.sec1_pem,
    "spki-der": encodings.spki_der,
    "spki-pem": encodings.spki_pem,
    "spki-headless": lambda key: encodings.spki_der(key)[24:],
    "certificate-der": encodings.certificate_der,
    "ssh-line": containers.ssh_line,
    "ssh-blob": containers.ssh_blob,
    "dnskey": containers.dnskey,
    "key-share": containers.key_share,
    "openssh-pem": encodings.openssh_pem,
    "openssh-fields": containers.openssh_fields,
    "capi-blob": encodings.capi_blob,
    "cng-rsa1": containers.cng_rsa1,
    "cng-rsa2": containers.cng_rsa2,
    "cng-rsa3": containers.cng_rsa3,
    "cng-ecc": containers.cng_ecc,
    "capi-base64": lambda key: base64.b64encode(encodings.capi_blob(key)),
    "capi-lines": lambda key: "\r\n".join(map(str, encodings.capi_blob(key)[8:])).encode(),
    "cng-dsa": lambda _: containers.cng_dsa(),
    "capi-xxd": lambda key: encodings.xxd(encodings.capi_blob(key)),
    "cng-base64": lambda key: base64.b64encode(containers.cng_ecc(key)),
    "jwk-public": containers.jwk_public,
    "jwk-private": containers.jwk_private,
    "le-limbs": lambda key: encodings.little_limbs(key.p) + encodings.little_limbs(key.q),
    "symcrypt": symcrypt.key_object,
    "xml": containers.xml_key,
    "xml-dsa": lambda _: containers.xml_dsa(),
    "sexp-hex": containers.sexp_hex,
    "sexp-canonical": containers.sexp_canonical,
    "sexp-object": containers.sexp_object,
    "sexp-public-hex": lambda key: containers.sexp_hex(key, private=False),
    "sexp-public-canonical": lambda key: containers.sexp_canonical(key, private=False),
    "sexp-public-object": lambda key: containers.sexp_object(key, private=False),
    "pgp-packet": pgp.packet,
    "pgp-armour": lambda key: pgp.armour(pgp.packet(key)),
    "pgp-encrypted": pgp.encrypted,
    "pgp-encrypted-armour": lambda key: pgp.armour(pgp.encrypted(key)),
    "pgp-native-4": lambda key: pgp.native(key, 4),
    "chacha20": lambda name: symmetric.chacha20(symmetric.key(int(name[4:]) // 8)),
    "salsa20": lambda name: symmetric.salsa20(symmetric.key(int(name[4:]) // 8)),
    "cut-pkcs1-pem": lambda key: cut(encodings.pkcs1_pem(key)),
    "cut-pkcs8-pem": lambda key: cut(encodings.pkcs8_pem(key)),
    "cut-pkcs8-der": lambda key: encodings.pkcs8_der(key)[:-4],
    "cut-sec1-der": lambda key: cut(encodings.sec1_der(key))[:50],
    "cut-openssh": lambda key: cut(containers.openssh_file(key)),
    "cut-putty": lambda key: cut(sealed.putty(key)),
    "cut-pgp": lambda key: cut(pgp.packet(key)),
    "pgp-armour-headless": lambda key: pgp.armour(pgp.packet(key))[33:],
    "cut-pgp-armour": lambda key: pgp.armour(pgp.packet(key))[:-56],
    "openssl-text": encodings.openssl_text,
    "openssl-public-text": encodings.openssl_public_text,
    "pkcs8-xxd": lambda key: encodings.xxd(encodings.pkcs8_der(key)),
    "sec1-xxd": lambda key: encodings.xxd(encodings.sec1_der(key)),
    "spki-xxd": lambda key: encodings.xxd(encodings.spki_der(key)),
    "certificate-xxd": lambda key: encodings.xxd(encodings.certificate_pem(key)),
    "pkcs8-hexdump": lambda key: encodings.hexdump(encodings.pkcs8_der(key)),
    "pem-hexdump": lambda key: encodings.hexdump(encodings.pkcs8_pem(key)),
    "pkcs8-pem-strewn": lambda key: encodings.strewn(encodings.pkcs8_pem(key)),
    "pkcs1-pem-strewn": lambda key: encodings.strewn(encodings.pkcs1_pem(key)),
    "sec1-pem-strewn": lambda key: encodings.strewn(encodings.sec1_pem(key)),
    "openssh-pem-strewn": lambda key: encodings.strewn(encodings.openssh_pem(key)),
    "putty-strewn": lambda key: encodings.strewn(sealed.putty(key)),
    "pkcs8-pem-strewn-utf16": lambda key: encodings.strewn(
        encodings.pkcs8_pem(key), encodings.utf16
    ),
    "pkcs1-pem-strewn-utf32": lambda key: encodings.strewn(
        encodings.pkcs1_pem(key), encodings.utf32
    ),
    "openssh-pem-strewn-shown": lambda key: encodings.strewn(
        encodings.openssh_pem(key), encodings.shown
    ),
    "pem-base64-twice": lambda key: twofold(encodings.pkcs8_pem(key)),
    "openssh-base64-twice": lambda key: twofold(encodings.openssh_pem(key)),
    "pkcs8-base64-twice": lambda key: twofold(encodings.pkcs8_der(key)),
    "pkcs1-base64-twice": lambda key: twofold(encodings.pkcs1_der(key)),
    "pkcs8-base64-utf16-base64": lambda key: base64.b64encode(
        encodings.utf16(base64.b64encode(encodings.pkcs8_der(key)))
    ),
    "spki-base64-twice": lambda key: twofold(encodings.spki_der(key)),
    "cut-openssh-pem": lambda key: cut(encodings.openssh_pem(key)),
    "wif": lambda key: services.wif(key, compressed=False),
    "wif-compressed": services.wif,
    "bip32": services.bip32,
    "nsec": services.nsec,
    "tezos": services.tezos,
    "tezos-pair": lambda key: services.tezos(key, public=True),
    "sui": services.sui,
    "cardano": services.cardano,
    "cardano-cli": services.cardano_file,
    "aptos": services.aptos,
    "tendermint": services.tendermint,
    "multibase": services.multibase,
    "multibase-pair": lambda key: services.multibase(key, public=True),
    "strkey": services.strkey,
    "nkey": services.nkey,
    "vapid": services.vapid,
    "named-hex": services.named_hex,
    "zeromq": services.zeromq,
    "libp2p": services.libp2p,
    "solana": services.solana,
    "paserk": services.paserk,
    "uber": keystores.uber,
    "pkcs12-ber": keystores.pkcs12_ber,
    "pgp-version-3": lambda key: pgp.versioned(key, 3),
    "pgp-version-5": lambda key: pgp.versioned(key, 5),
    "pgp-native-6": lambda key: pgp.native(key, 6),
    "pkcs12-open": keystores.pkcs12_open,
    "pkcs12-open-3des": keystores.pkcs12_open_3des,
    "pkcs12-password": keystores.pkcs12_password,
    "jks": keystores.jks,
    "jceks": keystores.jceks,
    "jceks-secret": keystores.jceks_secret,
    "bks": keystores.bks,
    "keytab": secrets.keytab,
    "ccache-4": lambda _: secrets.ccache(4),
    "ccache-3": lambda _: secrets.ccache(3),
    "dpapi-master-key": secrets.dpapi_master_key,
    "cng-key-data": secrets.cng_key_data,
    "jwk-secret": secrets.jwk_secret,
    "pqc-pkcs8": pqc.pkcs8,
    "tpm-sensitive": tpm.sensitive,
    "tpm-public": tpm.public,
    "tss2-der": tpm.tss2_der,
    "tss2-pem": tpm.tss2_pem,
    "openssh-certified": containers.openssh_certified,
    "ssh-certificate": containers.ssh_certificate,
    "pgp-public": pgp.public_packet,
    "headless-16": lambda key: containers.headless(key, 16),
    "encrypted-pkcs8-pem": sealed.pkcs8_pem,
    "encrypted-pkcs8-der": sealed.pkcs8_der,
    "encrypted-traditional-pem": sealed.traditional_pem,
    "wireguard": services.wireguard,
    "wireguard-networkd": lambda key: services.wireguard_of("networkd", key),
    "wireguard-netplan": lambda key: services.wireguard_of("netplan", key),
    "wireguard-uapi": lambda key: services.wireguard_of("uapi", key),
    "age": services.age,
    "age-recipient": services.age_recipient,
    "minisign": services.minisign,
    "minisign-encrypted": lambda key: services.minisign(key, encrypted=True),
    "signify": services.signify,
    "dnssec": services.dnssec,
    "tor": services.tor,
    "tor-control": services.tor_control,
    "sshcom": sealed.sshcom,
    "sshcom-text": sealed.sshcom_text,
    "encrypted-sshcom-text": lambda key: sealed.sshcom_text(key, b"3des-cbc"),
    "encrypted-putty": lambda key: sealed.putty(key, encrypted=True),
    "encrypted-pvk": sealed.pvk,
    "nss-database": sealed.nss_database,
    "putty-2": lambda key: sealed.putty(key, 2),
    "putty-3": sealed.putty,
    "encrypted-openssh-pem": sealed.openssh_pem,
    "pkcs1-base64": lambda key: base64.b64encode(encodings.pkcs1_der(key)),
    "pkcs8-base64": lambda key: base64.b64encode(encodings.pkcs8_der(key)),
    "sec1-base64": lambda key: base64.b64encode(encodings.sec1_der(key)),
    "spki-base64": lambda key: base64.b64encode(encodings.spki_der(key)),
    "pkcs8-hex": lambda key: encodings.pkcs8_der(key).hex().encode(),
    "sec1-hex": lambda key: encodings.sec1_der(key).hex().upper().encode(),
    "pkcs1-c-array": lambda key: b", ".join(b"0x%02x" % b for b in encodings.pkcs1_der(key)),
    "pkcs8-numbers": lambda key: str(list(encodings.pkcs8_der(key))).encode(),
    "spki-numbers": lambda key: str(list(encodings.spki_der(key))).encode(),
    "pkcs8-escapes": lambda key: repr(encodings.pkcs8_der(key)).encode(),
    "sec1-colons": lambda key: encodings.sec1_der(key).hex(":").encode(),
    "pkcs8-pem-gzip": lambda key: packed(encodings.pkcs8_pem(key)),
    "encrypted-pkcs8-pem-gzip": lambda key: packed(sealed.pkcs8_pem(key)),
    "pkcs8-pem-zlib": lambda key: zlib.compress(encodings.pkcs8_pem(key)),
    "encrypted-pkcs8-pem-zlib": lambda key: zlib.compress(sealed.pkcs8_pem(key)),
    "sec1-pem-zlib-base64": lambda key: base64.b64encode(zlib.compress(encodings.sec1_pem(key))),
    "sec1-der-gzip": lambda key: packed(encodings.sec1_der(key)),
    "openssh-pem-gzip-base64": lambda key: base64.b64encode(packed(encodings.openssh_pem(key))),
    "pem-base64-gzip-base64-twice": lambda key: base64.b64encode(
        base64.b64encode(packed(base64.b64encode(encodings.pkcs8_pem(key))))
    ),
    "pkcs8-pem-base32": lambda key: base64.b32encode(encodings.pkcs8_pem(key)),
    "encrypted-pkcs8-pem-base32": lambda key: base64.b32encode(sealed.pkcs8_pem(key)),
    "pkcs8-base32": lambda key: base64.b32encode(encodings.pkcs8_der(key)),
    "pkcs1-ascii85": lambda key: base64.a85encode(encodings.pkcs1_der(key)),
    "pkcs8-pem-base85": lambda key: base64.b85encode(encodings.pkcs8_pem(key)),
    "openssh-pem-uuencode": lambda key: codecs.encode(encodings.openssh_pem(key), "uu"),
    "pkcs8-pem-utf32": lambda key: encodings.utf32(encodings.pkcs8_pem(key)),
    "encrypted-pkcs8-pem-utf32": lambda key: encodings.utf32(sealed.pkcs8_pem(key)),
    "openssh-pem-utf32": lambda key: encodings.utf32(encodings.openssh_pem(key)),
    "jwk-private-utf32": lambda key: encodings.utf32(containers.jwk_private(key)),
    "pem-base64": lambda key: base64.b64encode(encodings.pkcs8_pem(key)),
    "age-base64": lambda key: base64.b64encode(services.age(key)),
    "dnssec-base64": lambda key: base64.b64encode(services.dnssec(key)),
    "jwk-base64": lambda key: base64.b64encode(containers.jwk_private(key)),
    "keytab-base64": lambda key: base64.b64encode(secrets.keytab(key)),
    "pgp-armour-base64": lambda key: base64.b64encode(pgp.armour(pgp.packet(key))),
    "pkcs12-base64": lambda key: base64.b64encode(keystores.pkcs12_open(key)),
    "pkcs12-password-base64": lambda key: base64.b64encode(keystores.pkcs12_password(key)),
    "pkcs8-pem-cells": lambda key: encodings.cells(encodings.pkcs8_pem(key)),
    "openssh-pem-cells": lambda key: encodings.cells(encodings.openssh_pem(key)),
    "encrypted-pkcs8-pem-cells": lambda key: encodings.cells(sealed.pkcs8_pem(key)),
    "jwk-cells-turned": lambda key: encodings.cells(containers.jwk_private(key), turned=True),
    "jwk-hex": lambda key: containers.jwk_private(key).hex().encode(),
    "jwk-numbers": lambda key: str(list(containers.jwk_private(key))).encode(),
    "putty-hex": lambda key: sealed.putty(key).hex(" ").encode(),
    "encrypted-putty-hex": lambda key: sealed.putty(key, encrypted=True).hex(" ").encode(),
    "putty-base64": lambda key: base64.b64encode(sealed.putty(key)),
    "signify-base64": lambda key: base64.b64encode(services.signify(key)),
    "sshcom-text-base64": lambda key: base64.b64encode(sealed.sshcom_text(key)),
    "tor-base64": lambda key: base64.b64encode(services.tor(key)),
    "wireguard-base64": lambda key: base64.b64encode(services.wireguard(key)),
    "openssh-base64": lambda key: base64.b64encode(encodings.openssh_pem(key)),
    "pkcs1-pem-headless": lambda key: encodings.pkcs1_pem(key)[120:],
    "sec1-pem-headless": lambda key: encodings.sec1_pem(key)[41:],
    "pkcs8-pem-headless": lambda key: base64.b64encode(encodings.pkcs8_der(key))[16:],
    "certificate-pem": encodings.certificate_pem,
    "headless-32": lambda key: containers.headless(key, 32),
}

GOOD = """
title = "A rule"
severity = "high"
kind = "token"
detector = "pem"
description = "What it finds."
remediation = "What to do."
references = []
anchors = [{ hex = "30 8? ?? [80-ff] 02 01 30" }]
examples = [{ bytes = "30 82" }]
counterexamples = []
"""


def resolve(key: str, encoding: str) -> bytes:
    """Carry out a recipe of a rule file."""
    if key.startswith("rsa-"):
        return FORMS[encoding](recipes.rsa_key(int(key[4:])))
    if key in CURVE_NAMES:
        return FORMS[encoding](recipes.ec_key(CURVE_NAMES[key]))
    if key.startswith(("aes-", "dsa-", "ml-", "slh-")):
        return FORMS[encoding](key)
    return FORMS[encoding](recipes.okp_key(key))


@functools.cache
def opened(rule: Rule) -> anchors.Sweeper:
    """Return what finds the anchors of a rule alone."""
    return anchors.open_sweeper(anchors.compile_anchors((rule,)))


def matches(rule: Rule, data: bytes) -> bool:
    """Tell whether the rule's detector finds something behind one of its anchors."""
    examine = DETECTORS[rule.detector]
    return any(
        True
        for _, offset in opened(rule).sweep(data)
        for _ in examine(Bytes(data), 0, offset, rule)
    )


@pytest.mark.parametrize(
    "rule", [rule for rule in SHIPPED if rule.detector in DETECTORS], ids=lambda rule: rule.id
)
def test_examples_are_found_and_counterexamples_are_not(rule: Rule) -> None:
    """Each serialized rule does what its file says, inline and by recipe."""
    checked = rulecheck.check((rule,), matches, resolve)
    assert checked.problems == ()
    assert (checked.tried, checked.left) == (len(rule.examples) + len(rule.counterexamples), 0)
    assert rule.counterexamples


@pytest.mark.parametrize(
    "rule",
    [r for r in SHIPPED if r.detector in DETECTORS and r.detector not in dict(AGAIN)],
    ids=lambda rule: rule.id,
)
def test_a_place_leads_to_its_key_again(rule: Rule) -> None:
    """What is traced, or judged once more, is read at the place where it was found."""
    examine = DETECTORS[rule.detector]
    for example in rule.examples:
        data = resolve(example.key, example.encoding) if example.key else example.data
        memory = Bytes(bytes(64) + data + bytes(64))
        for _, offset in opened(rule).sweep(memory.data):
            for found in examine(memory, 0, offset, rule):
                if isinstance(found, Proved):
                    at = found.candidate.places[0].offset
                    if rule.detector in LINED:
                        at = max(memory.data.find(b"PRIVATE KEY-----", at, at + 64), at)
                    again = examine(memory, 0, at, rule)
                    names = {one.candidate.fingerprint for one in again if isinstance(one, Proved)}
                    assert found.candidate.fingerprint in names


def test_rules_are_sorted_and_their_files_name_them() -> None:
    """The order is that of the ids, which are the files' names."""
    folder = Path(rules.__file__).parent.parent / "rules"
    assert [rule.id for rule in SHIPPED] == sorted(path.stem for path in folder.glob("*.toml"))


def test_the_digest_is_of_the_contents() -> None:
    """Neither the order of the rules nor the spelling of an anchor matters; each field does."""
    first = next(rule for rule in SHIPPED if rule.anchors)
    rest = tuple(rule for rule in SHIPPED if rule is not first)
    digest = rules.digest(SHIPPED)
    assert len(digest) == 64
    assert rules.digest(reversed(SHIPPED)) == digest
    for changed in (
        dataclasses.replace(first, title="Another"),
        dataclasses.replace(first, severity=Severity.LOW),
        dataclasses.replace(first, anchors=first.anchors[1:]),
        dataclasses.replace(first, references=()),
        dataclasses.replace(first, counterexamples=()),
    ):
        assert rules.digest((changed, *rest)) != digest
    respelled = tuple(anchor._replace(source="x") for anchor in first.anchors)
    same = dataclasses.replace(first, anchors=respelled)
    assert rules.digest((same, *rest)) == digest


def _write(folder: Path, text: str | bytes, name: str = "a-rule.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rules_of_ones_own_are_added(tmp_path: Path) -> None:
    """A folder's rules stand beside the shipped ones, and other files there are no concern."""
    _write(tmp_path, GOOD)
    _write(tmp_path, "no rule", "README.md")
    loaded = {rule.id: rule for rule in rules.load([tmp_path])}
    rule = loaded["a-rule"]
    assert len(loaded) == len(SHIPPED) + 1
    (anchor,) = rule.anchors
    assert (anchor.low.hex(), anchor.high.hex()) == ("30800080020130", "308fffff020130")
    assert rule.anchors[0].expression == rb"\x30[\x80-\x8f].[\x80-\xff]\x02\x01\x30"


def test_texts_are_looked_for_in_both_widths(tmp_path: Path) -> None:
    """A text anchor stands for its ASCII and its UTF-16LE bytes."""
    _write(tmp_path, GOOD.replace('hex = "30 8? ?? [80-ff] 02 01 30"', 'text = "Key:"'))
    rule = next(rule for rule in rules.load([tmp_path]) if rule.id == "a-rule")
    found = [anchor.low for anchor in rule.anchors]
    assert found == [b"Key:", "Key:".encode("utf-16-le")]


def test_an_anchor_with_a_set_of_last_bytes(tmp_path: Path) -> None:
    """It is one expression: as many literals of three bytes would slow an engine down."""
    _write(tmp_path, GOOD.replace('"30 8? ?? [80-ff] 02 01 30"', '"78 9c", last = "4d 4e 60"'))
    rule = next(rule for rule in rules.load([tmp_path]) if rule.id == "a-rule")
    assert [anchor.expression for anchor in rule.anchors] == [rb"\x78\x9c[\x4d\x4e\x60]"]
    sweeper = anchors.open_sweeper(anchors.compile_anchors([rule]))
    assert sweeper.sweep(b"..x\x9cM...x\x9cP...x\x9c`") == [(0, 2), (0, 14)]


@pytest.mark.parametrize(
    "anchor",
    [
        'hex = "?? 30 00 82 [00-01] ff"',
        'hex = "00 00 00 01 00 00 00 14"',
        'text = "0x", tail = 16, of = "0-f"',
        'text = "key", fold = true',
    ],
)
def test_anchors_with_a_literal(tmp_path: Path, anchor: str) -> None:
    """Three adjacent bytes, two of them rare, are enough; so is a text of two with a long tail."""
    _write(tmp_path, GOOD.replace('hex = "30 8? ?? [80-ff] 02 01 30"', anchor))
    rule = next(rule for rule in rules.load([tmp_path]) if rule.id == "a-rule")
    assert rule.anchors


ANCHOR = 'anchors = [{ hex = "30 8? ?? [80-ff] 02 01 30" }]'
EXAMPLE = 'examples = [{ bytes = "30 82" }]'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("title", "titel", "unknown key 'titel'"),
        ('title = "A rule"', "", "title is missing"),
        ('title = "A rule"', "title = 1", "title is missing"),
        ('title = "A rule"', 'title = "A rule', "not TOML"),
        ('title = "A rule"', f"title = {'9' * 5000}", "not TOML"),
        ('"high"', '"grave"', "unknown severity"),
        ('"token"', '"secret"', "unknown kind"),
        ("references = []", "references = [1]", "reference"),
        ("references = []", 'references = "x"', "no list"),
        ("30 8? ?? [80-ff] 02 01 30", "", "empty"),
        ("30 8? ?? [80-ff] 02 01 30", "30 82 ?? ??", "fewer than 24 bits"),
        ("30 8? ?? [80-ff] 02 01 30", "30 82 " * 40, "longer than 64"),
        ("30 8? ?? [80-ff] 02 01 30", "30 82 ?? ?? 02 01 [00-01] 02", "no rare literal"),
        ("30 8? ?? [80-ff] 02 01 30", "01 00 00 00 ff ff 00", "no rare literal"),
        (ANCHOR, 'anchors = [{ text = "0x", tail = 15, of = "0-f" }]', "no rare literal"),
        ("30 8? ?? [80-ff] 02 01 30", "30 82 3", "holds '3'"),
        ("30 8? ?? [80-ff] 02 01 30", "30 82 ?3 02 01", "holds '?3'"),
        ("[80-ff]", "[ff-80]", "holds '[ff-80]'"),
        ("30 8?", "30 FF", "holds 'FF'"),
        (ANCHOR, "anchors = [1]", "none of"),
        (ANCHOR, "anchors = [{}]", "none of"),
        (ANCHOR, 'anchors = [{ hex = "30 82 02 01", text = "abcd" }]', "none of"),
        (ANCHOR, 'anchors = [{ text = "schl\u00fcssel" }]', "not ASCII"),
        (ANCHOR, 'anchors = [{ text = "key", gaps = [] }]', "gaps are no list"),
        (ANCHOR, 'anchors = [{ text = "key", gaps = ["00"], fold = true }]', "gaps are no list"),
        (ANCHOR, 'anchors = [{ text = "key", gaps = ["0"] }]', "holds '0'"),
        (ANCHOR, f'anchors = [{{ text = "ke", gaps = ["{"00 " * 7}"] }}]', "shorter than its word"),
        (ANCHOR, 'anchors = [{ word = "4000" }]', "none of"),
        (ANCHOR, 'anchors = [{ word = "0x00" }]', "none of"),
        (ANCHOR, 'anchors = [{ half = "0x123456789" }]', "none of"),
        (ANCHOR, 'anchors = [{ word = "0x4000", behind = "00" }]', "none of"),
        (ANCHOR, 'anchors = [{ word = "0x4000", then = "0" }]', "holds '0'"),
        (ANCHOR, 'anchors = [{ half = "0x40", before = "0" }]', "holds '0'"),
        (ANCHOR, f'anchors = [{{ word = "0x4000", then = "{"00 " * 57}" }}]', "longer than 64"),
        (EXAMPLE, "examples = [{}]", "no recipe"),
        (EXAMPLE, 'examples = [{ key = "rsa-2048" }]', "no recipe"),
        (EXAMPLE, 'examples = [{ bytes = "3" }]', "no hex"),
        (EXAMPLE, 'examples = [{ bytes = "30", text = "a" }]', "no recipe"),
    ],
)
def test_what_is_no_rule_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """Any doubt about a rule file is an error that names the file, the reason and a way out."""
    assert old in GOOD
    path = _write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(RuleError) as caught:
        rules.load([tmp_path])
    assert str(path) in caught.value.message
    assert reason in caught.value.reason
    assert caught.value.hint


@pytest.mark.parametrize(
    "contents", [b"\xff\xfe", b"a = " + b"[" * 100_000, b"#" * (1 << 20) + b"#"]
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, contents: bytes) -> None:
    """Bytes that are no TOML, nesting without end and huge files are errors."""
    _write(tmp_path, contents)
    with pytest.raises(RuleError):
        rules.load([tmp_path])


@pytest.mark.parametrize("name", ["A Rule.toml", "a--rule.toml", "-.toml"])
def test_the_name_of_a_file_is_an_id(tmp_path: Path, name: str) -> None:
    """Ids are lower-case words with hyphens between them."""
    _write(tmp_path, GOOD, name)
    with pytest.raises(RuleError, match="cannot be used"):
        rules.load([tmp_path])


def test_an_id_is_used_once(tmp_path: Path) -> None:
    """No rule silently takes the place of another."""
    _write(tmp_path, GOOD, f"{SHIPPED[0].id}.toml")
    with pytest.raises(RuleError) as caught:
        rules.load([tmp_path])
    assert "another rule" in caught.value.reason


def test_a_folder_without_rules_is_an_error(tmp_path: Path) -> None:
    """Neither a folder that is not there nor an empty one is taken for no rules."""
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RuleError):
            rules.load([folder])


def test_an_anchor_in_base64_is_at_every_alignment(tmp_path: Path) -> None:
    """Whatever stands before and behind a text, one of its anchors stands in its base64."""
    _write(tmp_path, GOOD.replace('hex = "30 8? ?? [80-ff] 02 01 30"', 'base64 = "some mark"'))
    (rule,) = (rule for rule in rules.load([tmp_path]) if rule.id == "a-rule")
    assert len(rule.anchors) == 6
    sweeper = anchors.open_sweeper(anchors.compile_anchors((rule,)))
    for lead in range(4):
        for text in (b"\xff" * lead + b"some mark\xff", b"\0" * lead + b"some mark"):
            spelled = base64.b64encode(text)
            assert len(list(sweeper.sweep(spelled))) == 1
            assert len(list(sweeper.sweep(spelled.decode().encode("utf-16-le")))) == 1


def test_an_anchor_with_gaps(tmp_path: Path) -> None:
    """It has one between any two characters, and none behind; it is cut to a whole character."""
    source = f'text = "key{"0123456789" * 5}", gaps = ["00 00 00", "00 16"]'
    _write(tmp_path, GOOD.replace('hex = "30 8? ?? [80-ff] 02 01 30"', source))
    rule = next(rule for rule in rules.load([tmp_path]) if rule.id == "a-rule")
    assert [len(anchor.low) for anchor in rule.anchors] == [61, 64]
    assert [anchor.low[:5] for anchor in rule.anchors] == [b"k\0\0\0e", b"k\0\x16e\0"]
    assert all(anchor.low == anchor.high for anchor in rule.anchors)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)).map(sorted), max_size=9))
def test_expressions_mean_their_ranges(limits: list[list[int]]) -> None:
    """The expression of an anchor matches what lies within its ranges."""
    import re

    low, high = (bytes(limit[side] for limit in limits) for side in (0, 1))
    anchor = ruleanchors.Anchor(source="", low=low, high=high)
    pattern = re.compile(anchor.expression, re.DOTALL)
    for column in zip(*limits, strict=True):
        assert pattern.fullmatch(bytes(column))
    if limits and limits[0][1] < 255:
        outside = bytes([limits[0][1] + 1, *(low for low, _ in limits[1:])])
        assert not pattern.fullmatch(outside)
