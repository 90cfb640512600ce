"""Targets of what an operator writes: rules, policies, keys, saved reports, attestations."""

import base64
import json
from collections.abc import Iterable

from fixtures import containers, encodings
from fixtures import keys as recipes
from scanner import attest, fields, known, policyfile, published, rules, saved, signing
from scanner.detect import anchors
from scanner.errors import AttestError, PolicyError, RuleError, UsageError
from scanner.report import json as report_json
from scanner.report import text as report_text
from tests.fuzz import checks, mutators
from tests.fuzz.files import written
from tests.fuzz.target import Target
from tests.report import conftest as reports
from tests.test_attest import stated
from tests.test_rules import GOOD

RSA, EC, ED = recipes.rsa_key(1024), recipes.ec_key(), recipes.okp_key("ed25519")
KEYS: tuple[recipes.Key, ...] = (RSA, EC, ED)


def _rule(data: bytes) -> None:
    try:
        rule = rules._read(written("a-rule.toml", data))
    except RuleError as error:
        checks.reasoned(error)
        return
    anchors.compile_anchors((rule,))
    assert len(rules.digest((rule,))) == 64


def _policy(data: bytes) -> None:
    try:
        read = policyfile.parse(data)
    except PolicyError as error:
        checks.reasoned(error)
        return
    assert len(policyfile.digest(read)) == 64


def _published(data: bytes) -> None:
    try:
        published.load(written("list.toml", data).parent)
    except RuleError as error:
        checks.reasoned(error)


def _saved(data: bytes) -> None:
    try:
        read = saved.parse(data)
    except fields.RefusedError:
        return
    document = report_json.render(read)  # in which a lone surrogate is written out
    assert report_json.render(saved.parse(document.encode())) == document
    assert report_text.render(read, verbose=True)


def _known(data: bytes) -> None:
    try:
        found = known.read(data, "file.pem")
    except UsageError as error:
        checks.untold(f"{error.message} {error.reason}", data)
        return
    assert found
    assert known.digest(found)


def _statement(data: bytes) -> None:
    try:
        attest.read(data)
    except AttestError as error:
        checks.refusal(error, data)


def _sealed(data: bytes) -> None:
    try:
        signing.unsealed(str(written("envelope.json", data)), attest.PAYLOAD_TYPE, ())
    except AttestError as error:
        checks.refusal(error, data)
    else:
        raise AssertionError("an envelope holds that nobody signed")


def _public_file(data: bytes) -> None:
    try:
        signing.public_keys([str(written("key.pub", data))])
    except UsageError as error:
        checks.refusal(error, data)


def _documents() -> Iterable[bytes]:
    for report in reports.REPORTS.values():
        yield report_json.render(report).encode()


def _operators_keys() -> Iterable[bytes]:
    for key in KEYS:
        yield encodings.certificate_pem(key)
        yield encodings.spki_pem(key)
        yield encodings.spki_der(key)
        yield encodings.certificate_der(key)
        yield containers.ssh_line(key)
        yield containers.jwk_public(key)
        yield b'{"keys": [' + containers.jwk_public(key) + b"]}"


_ENTRY = b'[[allow]]\nfingerprint = "%b"\nreason = "a"\nowner = "b"\nexpires = 2027-01-31\n' % (
    b"ab" * 32
)
_LONG = b"9" * 4400
"""More digits than Python reads."""

_TOML = (
    _LONG,
    b"[[",
    b"]]",
    b'"""',
    b"'''",
    b"= nan",
    b"inf",
    b"1e999",
    b"{a=1}",
    b"0x",
    b"\n[a.b]\n",
)
_JSON = (
    _LONG,
    b"NaN",
    b"1e999",
    b"{",
    b"[",
    b"null",
    b"true",
    b'"',
    b"\\ud800",
    b"-1",
    b"18446744073709551616",
)
_ENVELOPE = json.dumps(
    {
        "payload": base64.b64encode(stated()).decode(),
        "payloadType": attest.PAYLOAD_TYPE,
        "signatures": [{"keyid": "a" * 64, "sig": base64.b64encode(bytes(64)).decode()}],
    }
).encode()
_B64 = mutators.base64_of()
_B64_DER = mutators.base64_of(mutators.der)

TARGETS = (
    Target(
        name="rule-toml",
        covers=("rules",),
        run=_rule,
        seeds=lambda: [
            GOOD.encode(),
            *(path.read_bytes() for path in rules.shipped().glob("a*.toml")),
        ],
        mutate=(mutators.literal(_TOML), mutators.elsewhere),
        longest=8192,
    ),
    Target(
        name="policy-toml",
        covers=("policyfile",),
        run=_policy,
        seeds=lambda: [
            b'fail_on = "high"\nmin_confidence = "proof"\naccept = ["truncated"]\n' + _ENTRY,
            b"require_tokens = false\nblock_session_keys = false\n",
        ],
        mutate=(mutators.literal(_TOML), mutators.elsewhere),
        longest=8192,
    ),
    Target(
        name="published-toml",
        covers=("published",),
        run=_published,
        seeds=lambda: [
            b'source = "a"\n[[keys]]\nfingerprint = "%b"\nname = "b"\n' % (b"ab" * 32),
        ],
        mutate=(mutators.literal(_TOML), mutators.elsewhere),
        longest=8192,
    ),
    Target(
        name="saved-report",
        covers=("saved",),
        run=_saved,
        seeds=_documents,
        mutate=(mutators.literal(_JSON), mutators.words, mutators.elsewhere),
        longest=1 << 14,
    ),
    Target(
        name="known-keys",
        covers=("known",),
        run=_known,
        seeds=_operators_keys,
        mutate=(_B64, _B64_DER, mutators.der, mutators.elsewhere),
    ),
    Target(
        name="statement",
        covers=("attest",),
        run=_statement,
        seeds=lambda: [stated()],
        mutate=(mutators.literal(_JSON), mutators.words, mutators.elsewhere),
        longest=8192,
    ),
    Target(
        name="envelope-json",
        covers=("signing",),
        run=_sealed,
        seeds=lambda: [_ENVELOPE],
        mutate=(mutators.literal(_JSON), _B64, mutators.elsewhere),
        longest=8192,
    ),
    Target(
        name="signers-key",
        covers=("signing",),
        run=_public_file,
        seeds=lambda: [encodings.spki_pem(EC), encodings.spki_pem(ED)],
        mutate=(_B64, _B64_DER, mutators.elsewhere),
        longest=1024,
    ),
)
