"""Tokens: found in either width wherever they stand, sure only where they announce themselves."""

import base64
import os
import random
import string
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import noise, token_anchors, tokens
from scanner import rules
from scanner.detect import anchors
from scanner.detect.credentials import kingfisher
from scanner.detect.credentials import tokens as detector
from scanner.detect.credentials.kingfisher import unload
from scanner.detect.credentials.tokens import Found
from scanner.errors import UsageError
from scanner.model import Confidence
from scanner.rules import Rule
from tests.detect.one_space import Bytes

RULES = tuple(rule for rule in rules.load() if rule.detector == "tokens")
SWEEPER = anchors.open_sweeper(anchors.compile_anchors(RULES))
UNANNOUNCED = {
    "betterleaks.alibaba-secret-key",
    "betterleaks.alibaba-sts-access-key-secret",
    "betterleaks.azure-storage-account-key",
    "betterleaks.box-api-access-token",
    "betterleaks.etsy-open-api-key",
    "betterleaks.facebook-access-token",
    "betterleaks.fal-api-key.1",
    "betterleaks.hashicorp-tf-password",
    "betterleaks.ibm-cloud-user-api-key",
    "betterleaks.kubernetes-secret-yaml",
    "betterleaks.linear-client-secret",
    "betterleaks.polymarket-api-key",
    "betterleaks.salesforce-access-token.1",
    "betterleaks.scaleway-secret-key",
    "betterleaks.snowflake-programmatic-access-token.1",
    "betterleaks.vault-service-token",
    "betterleaks.wiz-client-secret.1",
    "betterleaks.zai-api-key",
}
"""Rules that only words announce which stand everywhere: asked where something else stands near."""


def search(data: bytes, loaded: tuple[Rule, ...] = RULES, paths: tuple[str, ...] = ()) -> Found:
    """Search bytes."""
    sweeper = SWEEPER
    if loaded is not RULES:
        sweeper = anchors.open_sweeper(anchors.compile_anchors(loaded))
    hits = sweeper.sweep(data)
    offsets = np.array([offset for _, offset in hits], np.int64)
    named = [loaded[index] for index, _ in hits]
    return detector.search(Bytes(data), np.zeros(len(hits), np.int64), offsets, named, paths)


def told(data: bytes) -> list[tuple[str, int, int]]:
    """Return (rule, offset, size) of what is found."""
    return [(c.rule, c.places[0].offset, c.places[0].size) for c in search(data).candidates]


def written(token: bytes, width: int) -> bytes:
    """Write a token in one or two bytes a character."""
    return token if width == 1 else token.decode().encode("utf-16-le")


HEX = "0123456789abcdef"
SURE = {
    "github": tokens.github(),
    "slack": tokens.slack(),
    "jwt": tokens.jwt(),
}
KINDS = ("zeros", "text", "text16", "pointers", "heap", "uniform")


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(SURE)),
    width=st.sampled_from([1, 2]),
    kind=st.sampled_from(KINDS),
    at=st.integers(0, 30_000),
    seed=st.integers(0, 100),
)
def test_a_token_anywhere(name: str, width: int, kind: str, at: int, seed: int) -> None:
    """At any offset, in any surroundings, in either width: one finding, there."""
    text = written(SURE[name], width)
    made = getattr(noise, kind)(1 << 15, seed)
    data = noise.plant(made, at, bytes(2) + text + bytes(2))
    rule = "json-web-token" if name == "jwt" else "service-token"
    assert told(data) == [(rule, at + 2, len(text))]


@pytest.mark.parametrize("fill", [b"6", b"\\"])
@pytest.mark.parametrize("name", sorted(SURE))
def test_a_token_behind_a_block_of_hmac(name: str, fill: bytes) -> None:
    """Seen in Go: such a block ends in 32 bytes of one value, and the next one begins at once."""
    data = noise.uniform(32) + fill * 32 + SURE[name] + bytes(64)
    assert [(offset, size) for _, offset, size in told(data)] == [(64, len(SURE[name]))]


@pytest.mark.parametrize("width", [1, 2])
def test_a_secret_beside_its_id(width: int) -> None:
    """A secret access key has no mark: it is sure where the id of one stands near."""
    secret = tokens.aws_secret()
    both = b"\0".join([b"", tokens.aws_id(), bytes(50), secret, b""])
    found = search(written(both, width)).candidates
    assert {c.algorithm.split(".")[1] for c in found} == {
        "aws-access-token",
        "aws-secret-access-key",
    }
    assert {c.rule for c in found} == {"service-token"}
    assert told(b"\0" + secret + b"\0" + secret.swapcase()) == []


@pytest.mark.parametrize(
    "text",
    [
        b"aws_secret_access_key = " + tokens.aws_secret(),
        b"AWS_SECRET_ACCESS_KEY=" + tokens.aws_secret(),
        b'"awsSecretAccessKey": "' + tokens.aws_secret() + b'"',
    ],
)
def test_a_secret_behind_its_name(text: bytes) -> None:
    """Nor does it need an id where its own name stands before it."""
    (found,) = search(bytes(8) + text + bytes(8)).candidates
    assert found.places[0].size == 40


@pytest.mark.parametrize(
    "text",
    [
        tokens.password(),
        b"Authorization: Bearer " + tokens.text("bearer", 40).encode(),
        b"authorization: Basic dXNlcjpzM2NyM3RQYXNzd29yZA==",
        b"Server=db.example;Database=x;User Id=sa;Password=" + tokens.text("x", 12).encode(),
        b"postgres://user:" + tokens.text("y", 16).encode() + b"@db.corp.io:5432/main",
        b"facebook_secret = " + tokens.text("z", 32, "0123456789abcdef").encode(),
        b":type datadog_measure: ExperimentsDatadogPercentileMeasureInput\n",
        b"CURVEDNS_PRIVATE_KEY=" + tokens.text("scalar", 64, "0123456789abcdef").encode(),
        b"PRIVATE_KEY=0x" + tokens.text("scalar", 64, "0123456789abcdef").encode(),
        b'{"privateKey":"0x' + tokens.text("scalar", 64, "0123456789abcdef").encode() + b'"}',
        b'"private_key": "' + tokens.text("seed", 43).encode() + b'="',
        b"CLIENT_RANDOM %s %s"
        % (tokens.text("r", 64, "0123456789abcdef").encode(), b"%x" % (10**114 + 7) + b"\n"),
        b'"registry.corp.io": {"auth": "' + tokens.text("registry", 32).encode() + b'"}',
        b"//npm.corp.io/:_authToken=" + tokens.text("npm", 36).encode() + b"\n",
        b"wpa_passphrase=" + tokens.text("wpa", 16).encode() + b"\n",
        b"SECRET_KEY = '" + tokens.text("django", 50).encode() + b"'",
        b"root:$6$"
        + tokens.text("salt", 8).encode()
        + b"$"
        + tokens.text("hash", 86).encode()
        + b":",
        b"admin:$apr1$abcdefgh$" + tokens.text("apr", 22).encode() + b"\n",
        b'{"user":"joe","password":"P@ss!w0rd-#Batt3ry9"}',
        b'{"user": "joe", "password": "#c0rrect-h0rse9"}',
        b'{"user":"joe","password":"c0r&ec$-h0rse-9"}',
        b"DB_PASSWORD=#c0rrect-h0rse9",
        b"DB_PASSWORD=!c0rrect-h0rse9",
        b'DB_PASSWORD="c0rrect-h0rse9"',
        b"DB_PASSWORD=c0rr&ect-pa$$w0rd9",
        b"DB_PASS=c0rrect-h0rse9",
        b"BORG_PASSPHRASE=c0rrect-h0rse9",
        b"machine git.corp.io\n  login joe@corp.io\n  password c0rrect-h0rse!9\n",
        b"db.corp.io:5432:prod:app:c0rrect-h0rse!9\n",
        b'[client]\nuser = root\npassword = "c0rrect-h0rse!9"\n',
        b"[distutils]\nindex-servers = x\n[x]\nusername: joe\npassword: c0rrect-h0rse!9\n",
        b"//npm.corp.io/:_auth=" + base64.b64encode(b"joe:c0rrect-h0rse!9") + b"\n",
        b"spring.datasource.password=c0rrect-h0rse!9\n",
        b"spring.datasource.password=corRect-horse!bx\n",
        b"-Djavax.net.ssl.keyStorePassword=c0rrect-h0rse!9",
        b"database:\n  username: app\n  password: c0rrect-h0rse!9\n",
        b'[db]\npassword = "c0rrect-h0rse!9"\n',
        b"<username>joe</username><password>c0rrect-h0rse!9</password>",
        b'<user username="admin" password="c0rrect-h0rse!9" roles="x"/>',
        b"users:\n- name: joe\n  user:\n    token: " + tokens.text("kube", 40).encode() + b"\n",
        b'network={\n\tssid="home"\n\tpsk="c0rrect h0rse"\n}\n',
        b"network={\n\tpsk=" + tokens.text("psk", 64, HEX).encode() + b"\n}\n",
        b"[wifi-security]\nkey-mgmt=wpa-psk\npsk=c0rrect-h0rse\n",
        b"<sharedKey><keyMaterial>c0rrect-h0rse</keyMaterial></sharedKey>",
        b'10.0.0.1 10.0.0.2 : PSK "' + tokens.text("ipsec", 24).encode() + b'"\n',
        b"<AdministratorPassword><Value>c0rrect-h0rse!9</Value></AdministratorPassword>",
    ],
)
def test_what_only_a_name_announces_is_probable(text: bytes) -> None:
    """It is told, and is not sure: a shape, which blocks nothing."""
    for width in (1, 2):
        (found,) = search(written(b"\0" + text + b"\0", width)).candidates
        assert (found.rule, found.confidence) == ("probable-token", Confidence.SHAPE)


KEY = tokens.text("key", 43).encode() + b"="


@pytest.mark.parametrize(
    "text",
    [
        b'<machineKey validationKey="' + tokens.text("a", 128, HEX).upper().encode() + b'" />',
        b'"decryptionKey": "' + tokens.text("b", 48, HEX).encode() + b'"',
        b'<masterKey p4:requiresEncryption="true">\r\n <!-- unencrypted -->\r\n <value>'
        + tokens.text("c", 86).encode()
        + b"==</value>",
        b"-----BEGIN OpenVPN Static key V1-----\n"
        + b"".join(tokens.text(f"d{row}", 32, HEX).encode() + b"\n" for row in range(16)),
        b"-----BEGIN OpenVPN tls-crypt-v2 client key-----\n"
        + b"".join(tokens.text(f"e{row}", 64).encode() + b"\n" for row in range(12)),
        b'key "rndc-key" {\n\talgorithm hmac-sha256;\n\tsecret "' + KEY + b'";\n};',
        b"  - id: transfer\n    algorithm: hmac-sha512\n    secret: " + KEY + b"\n",
        b'userName="admin" cpassword="' + tokens.text("k", 43).encode() + b'"',
        b"PresharedKey = " + KEY + b"\n",
        b"SECRET_KEY_BASE=" + tokens.text("f", 128, HEX).encode() + b"\n",
        b'"PrivateNodeKey":"privkey:' + tokens.text("g", 64, HEX).encode() + b'"',
        b"AccountName=corpfiles;AccountKey=" + tokens.text("h", 86).encode() + b"==;",
        b"AccountEndpoint=https://x.corp:443/;AccountKey=" + tokens.text("h", 86).encode() + b"==;",
        b"AccountKey=" + tokens.text("h", 86).encode() + b"==;AccountName=corpfiles",
        b"Initial Root Token: hvs." + tokens.text("vault", 24).encode() + b"\n",
        b"The token is hvs." + tokens.text("vault", 24).encode() + b".\n",
        b"hvs." + tokens.text("vault", 110).encode() + b".\n",
        b"VAULT_TOKEN=hvs." + tokens.text("vault", 24).encode(),
        b"X-Vault-Token: hvs." + tokens.text("vault", 24).encode() + b"\r\n",
        b"X-Vault-Token: s." + tokens.text("vault", 24).encode() + b"\r\n",
        b'"unseal_keys_b64": [\n    "%b",\n    "%b"\n  ],'
        % (tokens.text("s1", 44).encode(), tokens.text("s2", 44).encode()),
        b'"unseal_keys_hex":["%b"]' % tokens.text("s3", 66, HEX).encode(),
        b"tskey-auth-k" + tokens.text("t", 11).encode() + b"CNTRL-" + tokens.text("u", 32).encode(),
        b"tskey-client-k" + tokens.text("t", 16).encode() + b"-" + tokens.text("u", 32).encode(),
        b"K10%b::server:%b"
        % (tokens.text("k3s", 64, HEX).encode(), tokens.text("node", 32, HEX).encode()),
        b"k4.local." + tokens.text("paserk", 43).encode(),
        b"AIRFLOW__CORE__FERNET_KEY=" + KEY,
        b"fernet_key = " + KEY + b"\n",
        b"APP_KEY=base64:" + KEY,
        b"RAILS_MASTER_KEY=" + tokens.text("rails", 32, HEX).encode(),
        b"[client.admin]\n\tkey = AQB5c2VkZy8QFRAA" + tokens.text("ceph", 22).encode() + b"==\n",
        b"Endpoint=sb://corp/;SharedAccessKeyName=all;SharedAccessKey=" + KEY,
    ],
)
def test_what_a_program_writes_with_its_name_is_sure(text: bytes) -> None:
    """A field that nothing else is called by, with a value that only a secret has, blocks."""
    for width in (1, 2):
        (found,) = search(written(b"\0" + text + b"\0", width)).candidates
        assert (found.rule, found.confidence) == ("service-token", Confidence.STRUCTURE)


@pytest.mark.parametrize(
    "text",
    [
        b"PASSWORD=${DB_PASSWORD} is not set",
        b'<machineKey validationKey="AutoGenerate,IsolateApps" decryptionKey="AutoGenerate" />',
        b'validationKey="' + b"0" * 64 + b'"',
        b"-----BEGIN OpenVPN Static key V1-----\n%s\n-----END OpenVPN Static key V1-----\n",
        b"<masterKey><value></value></masterKey>",
        b'cpassword=""',
        b"algorithm hmac-sha256; secret ",
        b"secret_key_base: <%= ENV['SECRET_KEY_BASE'] %>",
        b"CLIENT_RANDOM %s %s",
        b"root:$6$rounds=5000$usesomesillystri$:19000:0",
        b"TLS_PRIVATE_KEY=/etc/ssl/private/a-name-of-a-file-that-is-quite-a-bit-longer.pem",
        b"TLS_PRIVATE_KEY=" + b"/very-long-name-of-a-folder" * 8,
        b'"privateKey":"' + b"0" * 64 + b'"',
        b"ghp_000000000000000000000000000000000000",
        b"AKIA" + b"A" * 16,
        b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkgYXQgYWxsIn0.AAAAAAAAAAAAAAAAAAAAAAAA",
        b"aws_secret_access_key = 0123456789abcdef0123456789abcdef01234567",
        b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A" * 64 + b"\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_is_no_token(text: bytes) -> None:
    """Placeholders, fillers, digests and what others find are not told."""
    assert told(b"\0" + text + b"\0") == []


@pytest.mark.parametrize("kind", [*KINDS, "code", "mixed"])
def test_nothing_in_noise(kind: str) -> None:
    """Surroundings without a token give nothing."""
    assert told(getattr(noise, kind)(1 << 20, 5)) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"snyk", False),
        (b"snyk\0 api token", False),
        (b"curl -u ab:c", True),
        ("psk=hunter2!!".encode("utf-16-le"), True),
    ],
)
def test_a_mark_in_random_bytes_wakes_nothing(text: bytes, wanted: bool) -> None:
    """In a gigabyte of them are thirty, where no text stands: the rules need not be loaded.

    The operator's own rules may look for what is shorter.
    """
    data = noise.plant(noise.uniform(1 << 14, 3), 8000, text)
    at = np.array([8000])
    assert detector.wanted(Bytes(data), at * 0, at) == wanted
    assert detector.wanted(Bytes(data), at * 0, at, ("own",))
    assert detector.wanted(Bytes(data), np.zeros(1000, np.int64), np.arange(1000))
    assert not detector.wanted(Bytes(data), at[:0], at[:0])


def test_a_piece_of_something_else_is_no_token() -> None:
    """Short marks within base64, and names of programs that hold a long one, are passed over.

    Seen in cores of sort, bash, perl and SQLite, and in the solver HiGHS that SciPy has.
    """
    digits = tokens.text("digest", 60, "0123456789ABCDEF").encode()
    for text in (b"EAAA" + digits, b"SK" + digits):
        assert told(bytes(2) + text + b"\n") == []
    assert [row[1:] for row in told(bytes(2) + b"SK" + digits[:32] + b"\n")] == [(2, 34)]
    chance = b"BSA" + tokens.text("base64", 30).encode()
    inside = b"Zm9vYmFyMQ/" + chance + b"+" + tokens.text("behind", 20).encode()
    assert told(bytes(2) + inside + b"\n") == []
    assert [row[1:] for row in told(bytes(2) + b"key=" + chance + b"\n")] == [(6, len(chance))]
    pixels = b"EAAAACEFHIJJIIHHIIJJJJIIHHIIIKLLNMMNNNNPRRRSSRSTSQLJMMXC"  # seen in a core of ffmpeg
    assert told(b"\xcd\xe4\x89." + pixels + b"\x91\xe1") == []
    name = b"_Z17highs_setCallbackP5HighsSt8functionIFviRKNSt7"
    assert told(bytes(2) + name + bytes(2)) == []
    symbol = b"camlPpxlib__Ast_pattern_generated.prf_attributes_11039_closure"  # in semgrep-core
    assert told(bytes(2) + symbol + bytes(2)) == []
    assert told(bytes(2) + symbol[:38] + tokens.text("key", 24).encode() + bytes(2)) != []


@pytest.mark.parametrize(
    ("behind", "name"),
    [
        (b"=\0", "probable-token"),
        (b"=", "probable-token"),
        (b"=a", "service-token"),
        (b"==\0", "service-token"),
    ],
)
def test_a_short_mark_of_what_is_padded_is_probable(behind: bytes, name: str) -> None:
    """Base64 of 32 bytes, which begins so by chance, has 43 letters and a sign. Seen in a JVM."""
    token = b"BSA" + tokens.text("search", 40).encode()
    assert told(b"\0" + token + behind)[0][0] == name


def test_hits_are_looked_at_together_within_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is near is one stretch; another space begins another, wherever its hits stand."""
    asked: list[tuple[int, list[int], list[bool]]] = []
    monkeypatch.setattr(
        detector,
        "_neighbourhood",
        lambda _, space, hits, named, __: asked.append((space, hits.tolist(), named)) or (),
    )
    far = detector.BEFORE + detector.AFTER
    spaces, offsets = [0, 0, 0, 3, 3, 4], [5, 5 + far, 6 + 2 * far, 7, 8 + far, 9 + far]
    names = {rule.id: rule for rule in RULES}
    named = [names[name] for name in (detector.JWT, *[detector.SURE] * 4, detector.JWT)]
    for count in (6, 0):
        columns = (np.array(column[:count], np.int64) for column in (spaces, offsets))
        detector.search(Bytes(b""), *columns, named[:count])
    assert asked == [
        (0, [5, 5 + far], [True, False]),
        (0, [6 + 2 * far], [False]),
        (3, [7], [False]),
        (3, [8 + far], [False]),
        (4, [9 + far], [True]),
    ]


def test_a_short_mark_in_a_crowd_is_probable() -> None:
    """Of very many words of base64 one begins with three letters; a token stands out by its length.

    Seen in a process with 120,000 random ids of JSON documents.
    """
    token = b"BSA" + tokens.text("search", 40).encode()
    crowd = [tokens.text(f"id-{number}", 43).encode() for number in range(12)]
    assert told(b"\0".join([b"", token, *crowd[:7], b""]))[0][0] == "service-token"
    assert told(b"\0".join([b"", token, *crowd, b""]))[0][0] == "probable-token"
    shorter = [b"BSA" + word[3:] for word in crowd] + [word[1:] for word in crowd]
    assert told(b"\0".join([b"", token, *shorter, b""]))[0][0] == "service-token"
    far = [word.ljust(6000, b"\0") for word in crowd]
    assert told(b"\0".join([b"", *far[:4], token, *far[4:], b""]))[0][0] == "probable-token"
    both = b"\0".join([b"", *far[:4], token, *far[4:], b""]).decode().encode("utf-16-le")
    assert told(both)[0][0] == "probable-token"


def test_a_short_mark_of_base64_for_addresses_in_a_crowd_is_probable() -> None:
    """Underscores and hyphens are such letters too, and a token may begin behind one.

    Seen in Java, with a million session ids. Names of C++ and Java are no crowd of drawn words.
    """
    token = b"prf_" + tokens.text("full", 35).encode() + b"4Qz7"
    crowd = [tokens.text(f"id-{number}", 43).encode() for number in range(12)]
    assert told(b"\0".join([b"", token, b""]))[0][0] == "service-token"
    assert told(b"\0".join([b"", token, *crowd, b""]))[0][0] == "probable-token"
    behind = crowd[0][:12] + b"-" + token[:30]
    assert told(b"\0".join([b"", behind, b""]))[0][0] == "service-token"
    assert told(b"\0".join([b"", behind, *crowd, b""]))[0][0] == "probable-token"
    names = [b"_ZN%d4core3fmt9Formatter12writeAllTexts_3Ev" % number for number in range(10, 20)]
    assert {len(name) for name in names} == {43}
    assert told(b"\0".join([b"", token, *names, b""]))[0][0] == "service-token"


def test_letters_by_how_often_they_come_are_no_token() -> None:
    """Tables of programs that guess passwords hold alphabets; one that begins so had blocked.

    Seen in John the Ripper. What is random holds more characters twice, as a token among such
    words does, and an alphabet by itself, or amid what is none, may be a token.
    """
    letters = (string.ascii_letters + string.digits).translate(str.maketrans("", "", "BSA"))
    orders = [random.Random(seed).sample(letters, 20 + seed) for seed in range(9)]  # noqa: S311 - a table
    table = [b"B%c" % pair + "".join(row).encode() for pair, row in enumerate(orders, 0x61)]
    for more in (b"", b"BS"):
        alphabet = b"BSA" + "".join(orders[-1][:27]).encode() + more
        assert told(b"\0\2".join([b"", *table, alphabet, b""]))[0][0] == "probable-token"
    ids = [tokens.text(f"id-{number}", 43).encode() for number in range(2)]
    for words in ([*table, alphabet + b"A"], [*table[:7], alphabet], [*table, *ids, alphabet]):
        assert told(b"\0\2".join([b"", *words, b""]))[0][0] == "service-token"


def test_a_sum_tells_a_token_in_a_longer_word() -> None:
    """A token that something runs into is one where its checksum holds."""
    good = tokens.summed("ghs")
    wrong = good[:-1] + (b"a" if good[-1:] != b"a" else b"b")
    assert told(b"\0token" + good + b"\0") == [("service-token", 6, len(good))]
    assert told(b"\0token" + wrong + b"\0") == []
    assert told(b"\0token=" + wrong + b"\0") == [("service-token", 7, len(good))]


def test_the_dump_cannot_mute_itself() -> None:
    """Comments that other scanners obey change nothing."""
    text = tokens.github() + b" # kingfisher:ignore gitleaks:allow nosec pragma: allowlist secret\n"
    assert told(text) == [("service-token", 0, 40)]


def test_equal_values_share_a_name() -> None:
    """Copies of one token, in either width, are one secret; another token is another."""
    data = b"\0\0".join(
        [b"", tokens.github(), written(tokens.github(), 2), tokens.github("other"), b""]
    )
    names = [c.fingerprint.value for c in search(data).candidates]
    assert names[0] == names[1] != names[2]


def test_across_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token on the seam of two pieces is found once."""
    monkeypatch.setattr(detector, "PIECE", 4096)
    monkeypatch.setattr(detector, "OVERLAP", 512)
    filler = (tokens.github("filler") + bytes(8)) * 85
    for lead in range(0, 48, 5):
        data = filler + bytes(16 + lead) + tokens.github() + bytes(8) + filler
        places = [c.places[0] for c in search(data).candidates]
        assert len(places) == len(set(places)) == 171


def test_more_than_a_dump_has_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound on their number, the search ends and says so."""
    monkeypatch.setattr(detector, "MOST", 3)
    data = b"".join(tokens.github(str(n)) + b"\0" for n in range(5))
    found = search(data)
    assert (len(found.candidates), [f.code for f in found.faults]) == (3, ["limit-tokens"])


def test_examples_are_published() -> None:
    """Tokens that are printed for everybody to read say where; others do not."""
    value = b"AKIAIOSFODNN7" + b"EXAMPLE"
    secret = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + b"EXAMPLEKEY"
    found = search(b"\0aws_secret_access_key=" + secret + b"\0" + value + b"\0").candidates
    assert found
    assert all(c.published for c in found)
    assert not any(c.published for c in search(tokens.github()).candidates)


EMULATOR = (
    b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The account key of Microsoft's emulator, a constant of @azure/storage-common."""


@pytest.mark.parametrize(
    "text",
    [
        b"AccountName=devstoreaccount1;AccountKey=" + EMULATOR + b";",
        b"AccountKey=" + EMULATOR + b";AccountName=devstoreaccount1;",
        b"otpauth://totp/Example:alice@google.com?secret=JBSWY3DPEHPK3PXP&issuer=Example",
        b"mongodb://myDBReader:D1fficultP%40ssw0rd@mongodb0.example.com:27017/?authSource=admin",
        (
            b"<code>sp=r&amp;se=2023-12-20T22:54:52Z&amp;spr=https&amp;sv=2021-06-08&amp;sr=c&amp;"
            b"sig=aBBKDWQvyuVcTPH9EBp%2FXTI9E%2F%2Fmq171%2BZU178wcwqU%3D</code>"
        ),
        b"mongodb+srv://root:randompassword@cluster0.ab1cd.mongodb.net/mydb?retryWrites=true",
        b"mongodb+srv://myDBReader:D1fficultP%40ssw0rd@cluster0.example.mongodb.net/",
    ],
)
def test_the_value_within_is_what_is_published(text: bytes) -> None:
    """A constant that a library carries is one with any name or address around it."""
    for width in (1, 2):
        found = search(written(b"\0" + text + b"\0", width)).candidates
        assert found
        assert all(c.published for c in found)


@pytest.mark.parametrize(
    "text",
    [
        b"AccountName=devstoreaccount1;AccountKey=" + EMULATOR.swapcase(),
        b"otpauth://totp/JBSWY3DPEHPK3PXP?secret=K5XW4ZLTMVSCA2LOMRSXEYLMNF2GK3TU",
        b"mongodb://myDBReader:" + tokens.text("mongo", 19).encode() + b"@mongodb0.corp.io/admin",
    ],
)
def test_a_secret_beside_what_is_published_is_one(text: bytes) -> None:
    """The name of a public account, or an example elsewhere in the text, sets nothing aside."""
    found = search(b"\0" + text + b"\0").candidates
    assert found
    assert not any(c.published for c in found)


def test_keys_that_packages_carry_are_published() -> None:
    """What every copy of a browser holds says so, wherever the process keeps it."""
    text = (rules.shipped() / "tokens" / "published.toml").read_text("utf-8")
    tables = tomllib.loads(text)["examples"]
    values = next(row["values"] for row in tables if "Chromium" in row["source"])
    for value in values:
        assert value.startswith("AIza")
        found = search(b"GOOGLE_API_KEY=" + value.encode() + b"\0").candidates
        assert found
        assert all(c.published for c in found)
        other = value[:-8] + value[-8:].swapcase()
        assert not any(c.published for c in search(other.encode() + b"\0").candidates)


PLACEHOLDERS = {
    "slack": (
        "https://hooks.slack.com/services/T{}/B{}/{}",
        ("0" * 8, "0" * 8, "X" * 24),
        ("0" * 8, "0" * 8, tokens.text("slack", 24)),
    ),
    "kubeadm": (
        "kubeadm join 10.0.0.1:6443 --token {}.{}",
        ("abcdef", HEX),
        ("abcdef", tokens.text("kubeadm", 16, "abcdefghijklmnopqrstuvwxyz0123456789")),
    ),
    "gitlab": ("glpat-{}", ("1234567890" * 2,), (tokens.text("gitlab", 20),)),
}


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_placeholder_is_a_guess(name: str, width: int) -> None:
    """Documents fill the place of a secret with one character, or count; what is random is sure."""
    shape, filled, random = PLACEHOLDERS[name]
    for values, rule in ((filled, "probable-token"), (random, "service-token")):
        text = f'    url = "{shape.format(*values)}"\n'.encode()
        assert {found for found, _, _ in told(written(text, width))} == {rule}


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (b"my_user", b"my_password"),
        (b"&lt;access_key_id&gt;", b"&lt;secret_access_key&gt;"),
        (b"svc", b"<db-password>"),
    ],
)
def test_a_password_that_says_what_should_stand_there_is_a_guess(
    user: bytes, password: bytes
) -> None:
    """Seen in the manuals of MongoEngine and PyMongo; what has more to it is sure."""
    text = b'\0connect(host="mongodb://%s:%s@db0.corp.io:27017/my_db")\n\0'
    other = tokens.text("mongo", 4).encode() + password.strip(b"<>&;")
    for value, rule in ((password, "probable-token"), (other, "service-token")):
        assert {found for found, _, _ in told(text % (user, value))} <= {rule}
    assert told(text % (user, other))


def test_a_secret_beside_a_placeholder_is_sure() -> None:
    """A host whose name counts up is no reason to pass over its password."""
    password = tokens.text("mongo", 12)
    text = f"mongodb://root:{password}@{HEX}.corp.io/admin".encode()
    assert {rule for rule, _, _ in told(b"\0" + text + b"\0")} == {"service-token"}


LIBRARIES = {
    "python-jose": "Examples:\n    >>> jwt.encode({{'a': 'b'}}, 'secret')\n    '{}'",
    "PyJWT": ">>> print(encoded)\n{}\n",
    "passlib": "'otpauth://totp/user@example.org?secret={}&issuer=myservice.another-example.org'",
    "google-auth": "Example credential:\n{}\n",
    "librdkafka": "\0{}\0",
    "hashcat": "\0{}\0",
    "GitHub": '{{"token": "{}"}}',
    "Stellar": ">>> {}'  # Don't use this mnemonic in practice.",
    "ClickHouse": "net/;SharedAccessSignature=sp=r&sv=2022-11-02&sr=c&sig={}', 'exampledatasets'",
    "mongoose": "createConnection('{}').user; // 'val'",
    "joserfc": ">>> encoded_jwt\n    '{}'\n    >>> token",
    "ox": " * const {}'\n * const seed = Mnemonic.toSeed(mnemonic)",
    "micro-eth-signer": " * const {}';\n * const seed = mnemonicToSeedSync(mnemonic, '');",
    "The specification of the distribution registry": "Authorization: Bearer {}\r\n",
    "erlang-jose": '"{}"\n',
    "NSD": 'key:\n\tname: "sec1_key"\n\talgorithm: hmac-md5\n\tsecret: "{}"\n',
    "OpenVPN": "<tls-auth>\n{}-----END OpenVPN Static key V1-----\n",
    "restic's documentation, design": '"encrypt": "{}",\n',
    "Docker's documentation": "docker swarm join --token {} 192.168.99.100:2377 or SWMKEY\n",
    "PyJWT's documentation": ">>> token\n'{}'\n",
    "URI::otpauth": "'otpauth://totp/Example:alice@google.com?secret={}&issuer=Example' );",
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_examples_in_docstrings_are_published(library: str) -> None:
    """Every process that imports a library has the examples of its documentation."""
    text = (rules.shipped() / "tokens" / "published.toml").read_text("utf-8")
    tables = tomllib.loads(text)["examples"]
    values = next(row["values"] for row in tables if row["source"].startswith(library))
    for value in values:
        found = search(LIBRARIES[library].format(value).encode()).candidates
        assert found
        assert all(c.published for c in found)
        at = len(value) // 2
        other = value[:at] + value[at:].swapcase()
        assert not any(
            c.published for c in search(LIBRARIES[library].format(other).encode()).candidates
        )


def test_no_candidate_holds_a_value() -> None:
    """What leaves holds no run of the token, its witness neither."""
    import pickle

    for token in (tokens.github(), tokens.jwt(), tokens.slack()):
        found = search(b"\0" + token + b"\0")
        assert found.candidates
        said = pickle.dumps(found) + repr(found).encode()
        assert not any(token[at : at + 12] in said for at in range(len(token) - 12))


# --- the rules ----------------------------------------------------------------------------------


def test_anchors_are_those_of_the_library() -> None:
    """The file holds what its maker makes of the installed library, and no rule went missing."""
    text = token_anchors.FILE.read_text("utf-8")
    assert f"anchors = [\n{token_anchors.block()}\n]" in text
    assert set(token_anchors.wanted()[1]) == UNANNOUNCED


def test_our_own_rules_find_their_examples() -> None:
    """Each rule of the context file is woken by an anchor and finds the example beside it."""
    catalogue = kingfisher.catalogue()
    names = [row["id"] for row in catalogue.metadata() if row["id"].startswith("keysift.")]
    assert len(names) > 4
    for name in names:
        for example in catalogue.detail(name)["examples"]:
            data = b"\0" + example.encode() + b"\0"
            assert SWEEPER.sweep(data), name
            matches = kingfisher.scanner()(data.replace(b"\0", b"\n"))
            assert name in {match.rule for match in matches}


@pytest.mark.parametrize(
    "text",
    [
        "MNEMONIC=test test test test test test test test test test test junk",  # Hardhat's own
        "mnemonic: the words of your wallet, twelve or twenty four of them, in their order",
        '{"seed": "ask for the words of a wallet, all twelve of them, and in their own order"}',
        "Recovery Key: 111111-222222-333333",
        "otpauth://totp/{label}?secret={secret}",
        '{"password":"********"}',
        '{"password": "string", "passphrase": "passphrase"}',
        'encrypt: "yes"',
        "Unseal Key 1: (will be hidden)",
        "kubeadm join <control-plane>:6443 --token <token>",
        "sv=2022-11-02&sig=REDACTED",
        "?password=%s&user=%s",
        '{"password":"$DB_PASSWORD", "passwd": "prefix${DB_PASSWORD}"}',
        "DB_PASS=$(cat /run/secrets/db) VAULT_TOKEN=hvs.",
        "var hvs.length, hvs.renderAll(x), hvs.someFunctionWithALongName(y)",
        "machine learning login password reset",
        "see localhost:5432:/var/lib and http://db:5432/app/x:y",
        "[client]\nport=3306\nsocket=/run/mysqld/mysqld.sock\n",
        "spring.datasource.password=${DB_PASSWORD}\nself.password=password\n",
        "<password>changeme</password> <password>{{ password }}</password>",
        'password = "password" password="%s" password: string\n  password: <password>\n',
        'proxy_url="socks5h://<username>:<password>@proxy-host-1"',  # the package requests
        "      scopeAuthKey: null,\n      token: forceAuth._authToken || forceAuth.token,\n",  # npm
        "    token: <token from the dashboard>\n",
        ': PSK "secret" psk="%s" psk=<passphrase>',
        "<Password><Value></Value></Password>",
        "key = AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHA==",
        "k4.local.<base64url> tskey-auth-<id>-<secret> K10<hash>::server:<password>",
        "APP_KEY=base64: FERNET_KEY=<key> RAILS_MASTER_KEY=$(cat config/master.key)",
        '"unseal_keys_b64": [],',
        "postgresql+psycopg2://user:{password}@localhost/app",
    ],
)
def test_what_only_looks_like_a_secret(text: str) -> None:
    """Placeholders, templates and a phrase that everybody has: nothing is said."""
    assert search(b"\0" * 64 + text.encode() + b"\0" * 64).candidates == ()


OWN = """
rules:
  - name: House token
    id: custom.house
    pattern: \\b(house_[a-z0-9]{20})\\b
    confidence: high
    examples:
      - house_0123456789abcdefghij
"""


def test_what_web_pages_carry_for_everybody() -> None:
    """Keys that only send events, or only read maps, stand in each page, and are no secret."""
    word = tokens.text("page", 60)
    for text in (
        f"posthog.init('phc_{word[:43]}')",
        f"mapboxgl.accessToken = 'pk.{word.lower()}.{word[:22].lower()}'",
        f'newrelic_key="NRJS-{tokens.text("browser", 19, HEX)}"',
    ):
        assert search(b"\0" + text.encode() + b"\0").candidates == ()
    personal = f"POSTHOG_KEY=phx_{word[:43]}".encode()
    assert told(b"\0" + personal + b"\0") == [("service-token", 13, 47)]


def test_rules_of_ones_own(tmp_path: Path) -> None:
    """A file or a folder of rules adds anchors, finds, and is named by its digest."""
    path = tmp_path / "own.yml"
    path.write_text(OWN)
    token = f"house_{tokens.text('house', 20, 'abcdefghij0123456789')}".encode()
    assert told(bytes(4) + token + bytes(4)) == []
    for given_path in (str(path), str(tmp_path)):
        loaded = kingfisher.anchored(RULES, (given_path,), detector.SURE)
        (found,) = search(bytes(4) + token + bytes(4), loaded, (given_path,)).candidates
        assert (found.rule, found.algorithm) == ("service-token", "custom.house")
        assert rules.digest(loaded) != rules.digest(RULES)


def test_the_digest_is_of_whole_files(tmp_path: Path) -> None:
    """Rules that differ beyond the first megabyte are other rules."""
    path, padding = tmp_path / "own.yml", "# " + "x" * 80 + "\n"
    digests = set()
    for last in ("# one\n", "# two\n"):
        path.write_text(OWN + padding * 13_000 + last)
        digests.add(rules.digest(kingfisher.anchored(RULES, (str(path),), detector.SURE)))
    assert len(digests) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rules: [",
        "rules:\n  - name: x\n",
        OWN.replace("house_[a-z0-9]{20}", "(?=house)"),
        OWN.replace("house_[a-z0-9]{20}", "[a-z0-9]{20}"),
    ],
)
def test_what_is_no_rule_is_a_usage_error(tmp_path: Path, text: str) -> None:
    """Broken files, and expressions that nothing fixed announces, are refused in three parts."""
    path = tmp_path / "own.yml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        kingfisher.anchored(RULES, (str(path),), detector.SURE)
    assert str(path) in caught.value.message
    assert caught.value.reason
    assert caught.value.hint


def test_a_worker_lets_go_of_the_catalogue() -> None:
    """What it holds is wanted for something else; whoever asks again has it again."""
    scan = kingfisher.scanner()
    assert kingfisher.scanner() is scan
    unload()
    assert kingfisher.scanner() is not scan


@pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
def test_the_cache_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled rules are kept in a folder of this user alone, or nowhere."""
    import kingfisher_sdk

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = kingfisher._cache(kingfisher_sdk)
    assert folder is not None
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    Path(folder).chmod(0o755)
    assert kingfisher._cache(kingfisher_sdk) is None
    Path(folder).rmdir()
    Path(folder).symlink_to(tmp_path)
    assert kingfisher._cache(kingfisher_sdk) is None
