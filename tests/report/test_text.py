"""The text report says verdict, keys and coverage, and is safe to look at."""

import dataclasses
import re
from collections.abc import Callable

import pytest

from scanner import policy
from scanner.errors import Unreadable
from scanner.model import NONCE, Fault, Public, Reason, Report, Severity, Verdict
from scanner.report import html, markdown, text, wording

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def test_opens_with_verdict_and_keys(blocked: Report) -> None:
    """The first lines say the verdict, the file, and which keys to rotate, by identity."""
    lines = text.render(blocked).splitlines()
    assert lines[0] == "BLOCKED  /var/crash/core.1234"
    assert "Do not send it." in lines[1]
    head = "\n".join(lines[:15])
    assert "rotate        RSA 2048" in head
    assert "serial 33000001f2e4, not after 2021-04-04T23:59:59Z" in head
    assert "SPKI SHA-256 " + "7d9c2f10" * 8 in head
    assert "revoke        jwt" in head


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "blocked",
            (
                "blocked: 2 private keys and 1 that does not block, 1 token, 1 suppressed; "
                "swept 3,000,000 of 3,000,000 bytes in the file"
            ),
        ),
        (
            "passed",
            "pass: no findings, 1 suppressed; swept 3,000,000 of 3,000,000 bytes in the file",
        ),
        (
            "several",
            (
                "blocked (3 dumps: 1 blocked, 1 incomplete, 1 pass): 2 private keys and 1 that "
                "does not block, 1 token, 3 suppressed; swept 8,995,904 of 9,000,000 bytes"
            ),
        ),
    ],
)
def test_last_line(name: str, expected: str, request: pytest.FixtureRequest) -> None:
    """The last line can be read alone, is one line, and is all that is said when quiet."""
    report: Report = request.getfixturevalue(name)
    assert text.render(report).splitlines()[-1] == expected
    assert text.render(report, quiet=True) == expected + "\n"
    for width in (40, 80, 400):
        folded = text.render(report, quiet=True, width=width).splitlines()
        assert " ".join(folded) == expected
        assert max(map(len, folded)) <= width


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("truncated",), "was not looked at as a whole, and may hold a key. Do not send it."),
        (
            ("unknown-format",),
            "was swept, but is no dump of a known format, and may hold a key. Do not send it.",
        ),
        (
            ("truncated", "unknown-format"),
            "was not looked at as a whole, and may hold a key. Do not send it.",
        ),
    ],
)
def test_what_was_not_done(halted: Report, codes: tuple[str, ...], expected: str) -> None:
    """Where every byte was swept, it is not said that one was not."""
    reasons = tuple(Reason(code=code, text="so it is") for code in codes)
    assert wording.headline(dataclasses.replace(halted.dumps[0], reasons=reasons)) == expected


def test_named_before_unnamed(blocked: Report) -> None:
    """Keys that a certificate names come first, whatever their place in the report."""
    said = text.render(blocked)
    assert said.index("1 RSA 2048 private key") < said.index("2 EC P-256 private key")


def test_the_nonce_of_a_signature_is_called_one(blocked: Report) -> None:
    """Of a nonce it is the key that signed which is to be replaced; a named key stays one."""
    (dump,) = blocked.dumps
    once = tuple(dataclasses.replace(f, proof=NONCE) for f in dump.findings)
    said = text.render(
        dataclasses.replace(blocked, dumps=(dataclasses.replace(dump, findings=once),))
    )
    assert "holds 1 private key, 2 signature nonces. Do not send it." in said
    assert said.count("\n  rotate  ") == 2
    assert "rotate        whatever key signed\n" in said
    assert "with 2 signature nonces (EC P-256, " in said
    assert "blocked: 1 private key, 3 signature nonces, 1 suppressed" in said
    (_, second, *_) = wording.named_first(once)
    assert "gives away the key that signed" in "".join(wording.otherwise_known(second))
    assert "Make a new key in place of the one that signed with it" in said
    assert "nothing here says whose it is" not in said
    assert "Make a new key, put it in this one's place" in said


@pytest.mark.parametrize(
    ("algorithm", "proof", "advice"),
    [
        ("ec", "d*G = Q", "one made for a session ends with the session"),
        ("ml-kem-768", "", "one made for a session ends with the session"),
        ("ec", NONCE, "in place of the one that signed with it"),
        ("ed25519", "a*B = A", "put it in this one's place, and revoke its certificate"),
        ("rsa", "p*q = n", "put it in this one's place, and revoke its certificate"),
    ],
)
def test_what_nobody_names_may_be_of_a_session(
    blocked: Report, algorithm: str, proof: str, advice: str
) -> None:
    """Seen in clients of TLS: an EC key of one handshake. With a name it is to be replaced."""
    key = dataclasses.replace(
        blocked.dumps[0].findings[0],
        algorithm=algorithm,
        proof=proof,
        names=(),
        public=Public(),
        blocks=True,
    )
    assert advice in wording.advice(key)
    named = dataclasses.replace(key, names=("certificate",))
    assert "put it in this one's place" in wording.advice(named)


def test_a_key_of_a_handshake(blocked: Report) -> None:
    """What TLS sent for one session is no key to rotate, whether it blocks or not."""
    (dump,) = blocked.dumps
    key = dataclasses.replace(
        dump.findings[0], names=(), public=Public(), session=True, blocks=True
    )
    alone = dataclasses.replace(dump, findings=(key,))
    said = text.render(dataclasses.replace(blocked, dumps=(alone,)))
    assert "  session       EC P-256\n" in said
    assert "unnamed: a handshake sent its public half" in said
    assert "Nothing, as a rule: it ended with its session" in said
    passing = dataclasses.replace(key, blocks=False)
    assert not wording.acts(passing)
    assert wording.advice(passing) == wording.advice(key)


@pytest.mark.parametrize("algorithm", ["dh", "x25519", "x448"])
def test_an_exponent_that_does_not_block_is_ephemeral(blocked: Report, algorithm: str) -> None:
    """Of a key agreement that nobody names there is as a rule nothing to do."""
    key = dataclasses.replace(
        blocked.dumps[0].findings[0],
        algorithm=algorithm,
        names=(),
        public=Public(),
        severity=Severity.MEDIUM,
        blocks=False,
    )
    assert wording.advice(key).startswith("Nothing, if it is ephemeral")


def test_expiry_lowers_nothing(blocked: Report) -> None:
    """A key whose certificate expired years ago is critical, to be rotated, and it is said why."""
    said = text.render(blocked)
    assert "RSA 2048 private key  critical, proof" in said
    assert "A key signs whether its certificate has expired or not." in said


def test_a_certificate_is_not_said_to_have_expired(blocked: Report) -> None:
    """A report has no date: of a certificate that is still good it says what it says of others."""
    (dump,) = blocked.dumps
    good = tuple(
        dataclasses.replace(f, public=dataclasses.replace(f.public, not_after="2999-01-01"))
        for f in dump.findings
    )
    said = text.render(
        dataclasses.replace(blocked, dumps=(dataclasses.replace(dump, findings=good),))
    )
    assert [line for line in said.splitlines() if "expired" in line] == [
        "  note          A key signs whether its certificate has expired or not."
    ]


def test_places_are_bounded(blocked: Report) -> None:
    """Few places are shown and the rest counted; all of them when asked."""
    short, long = text.render(blocked), text.render(blocked, verbose=True)
    assert "and 4 more places (-v shows all)" in short
    assert "0x7f000005" not in short
    assert "0x7f000005" in long
    assert "-v shows all" not in long


def test_what_many_are_like_is_counted(blocked: Report) -> None:
    """Of thousands of tokens some of each issuer are told; every private key is, as before."""
    (dump,) = blocked.dumps
    key = next(finding for finding in dump.findings if finding.kind == "private-key")
    token = next(finding for finding in dump.findings if finding.kind == "token")
    issued = [
        dataclasses.replace(token, public=dataclasses.replace(token.public, issuer=f"is-{n % 3}"))
        for n in range(90)
    ]
    held = dataclasses.replace(dump, findings=(*[key] * 25, *issued))
    short, long = (
        text.render(dataclasses.replace(blocked, dumps=(held,)), verbose=verbose)
        for verbose in (False, True)
    )
    assert short.count("revoke   ") == 60
    assert short.count("rotate   ") == 25
    assert short.count("and 30 more jwt tokens (-v shows all)") == 2
    assert all(short.count(f"is-{n}") == 20 for n in range(3))
    assert long.count("revoke   ") == 90
    several = dataclasses.replace(dump, findings=tuple(issued[:21:3]))
    assert "more jwt" not in text.render(dataclasses.replace(blocked, dumps=(several,)))


def test_faults_and_gaps_are_said(report: Report) -> None:
    """Whatever makes a scan less than whole is in the report, and what is normal is called so."""
    said = text.render(report)
    assert "not captured  2 ranges, 1,052,672 bytes" in said
    for dump in report.dumps:
        for fault in dump.coverage.faults:
            assert f"{fault.code}: {fault.text}" in said


def test_a_fault_is_said_once(blocked: Report) -> None:
    """What was wrong in an archive is a fault of its content and of its coverage, and one line."""
    fault = Fault(code="encrypted", text="A member is encrypted.")
    (dump,) = blocked.dumps
    content = dataclasses.replace(dump.content, faults=(fault,))
    cover = dataclasses.replace(dump.coverage, faults=(fault,))
    held = dataclasses.replace(dump, content=content, coverage=cover)
    said = text.render(dataclasses.replace(blocked, dumps=(held,)))
    assert said.count("encrypted: A member is encrypted.") == 1


def test_what_lies_in_an_archive_is_announced(halted: Report) -> None:
    """An archive is named once, and says that its dumps follow: its own bytes are but the rest."""
    (dump,) = halted.dumps
    content = dataclasses.replace(dump.content, layers=("zip",))
    parts = [
        dataclasses.replace(dump, path=f"a.zip{rest}", format=form, arch="unknown", content=content)
        for rest, form in (("", "zip"), ("!one", "elfcore"), ("!b.zip!two", "elfcore"))
    ]
    other = dataclasses.replace(dump, path="a.zip.core")
    said = text.render(dataclasses.replace(halted, dumps=(*parts, other))).splitlines()
    assert "  file          zip, 812,345 bytes" in said
    assert [line for line in said if "  within  " in line] == [
        "  within        2 dumps, told below; looked at is the rest"
    ]


@pytest.mark.parametrize("render", [text.render, markdown.render, html.render])
def test_an_archive_leaves_with_what_is_in_it(
    blocked: Report, passed: Report, render: Callable[[Report], str]
) -> None:
    """Of an archive that holds a blocked dump nobody is told that it may leave."""
    archive = dataclasses.replace(passed.dumps[0], path="a.zip")
    dumps = (archive, dataclasses.replace(blocked.dumps[0], path="a.zip!one"))
    said = " ".join(render(dataclasses.replace(blocked, dumps=dumps)).split())
    assert "may leave if all dumps in it may: nothing that blocks was found in any of its" in said
    assert "may leave: " not in said


def test_what_could_not_be_read_is_told_once() -> None:
    """Of a path where there is nothing no format, size or coverage is claimed."""
    error = Unreadable("the file cannot be opened", reason="no such file or directory")
    gone = policy.unreadable("/nosuch", error)
    said = text.render(policy.combine([gone], rules_sha256=""))
    assert "could not be read, and may hold a key. Do not send it." in said
    assert said.count("no such file or directory") == 1
    assert "unknown format" not in said
    assert "looked at" not in said


def test_safe_to_look_at(report: Report) -> None:
    """No character of a dump moves the cursor, colours, reorders or breaks a line."""
    for look in ({}, {"verbose": True}):
        said = text.render(report, **look)
        assert all(line.isprintable() for line in said.split("\n"))
        assert all(len(line) <= text.WIDTH for line in said.split("\n")[:-2])
        colored = text.render(report, color=True, **look)
        assert all(line.isprintable() for line in ESCAPES.sub("", colored).split("\n"))
        assert "\x1b]" not in colored


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_fits_a_terminal(report: Report, width: int) -> None:
    """No line is wider than the terminal, nor the page than it is in a file; nothing is cut."""
    for look in ({}, {"verbose": True}):
        said = text.render(report, width=width, **look)
        assert max(map(len, said.splitlines())) <= width
        assert "\u2026" not in said
        for dump in report.dumps:
            for finding in (*dump.findings, *dump.suppressed):
                assert finding.fingerprint.value in "".join(said.split())
            for occurrence in dump.findings[0].occurrences[:1] if dump.findings else ():
                assert hex(occurrence.extents[0].address or 0) in said


def test_markup_is_text(hostile: Report) -> None:
    """What looks like markup of the terminal library is shown as it was written."""
    assert "[red]x[/red][link=file:///]" in text.render(hostile)


def test_color_changes_no_word(report: Report) -> None:
    """Colour adds escapes and nothing else, and none without it."""
    plain, colored = text.render(report), text.render(report, color=True)
    assert "\x1b" not in plain
    assert "\x1b[" in colored
    stripped = "\n".join(line.rstrip() for line in ESCAPES.sub("", colored).split("\n"))
    assert stripped == plain


def test_environment_has_no_say(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns, terminal type and colour wishes of the environment do not reach the renderer."""
    before = text.render(report)
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    assert text.render(report) == before


def test_unknown_words_are_shown(blocked: Report) -> None:
    """A kind, algorithm or fingerprint that this module does not know is shown by its own name."""
    odd = dataclasses.replace(blocked.dumps[0].findings[0], kind="wallet", algorithm="slh-dsa")
    dump = dataclasses.replace(blocked.dumps[0], findings=(odd,), verdict=Verdict.BLOCKED)
    said = text.render(dataclasses.replace(blocked, dumps=(dump,)))
    assert "slh-dsa P-256 wallet" in said
    assert "1 wallet" in said


def test_reasons_are_said_once(blocked: Report) -> None:
    """Keys to rotate are reason enough; other reasons, or all when asked, are said once each."""
    assert "because" not in text.render(blocked)
    assert text.render(blocked, verbose=True).count("a private key of confidence proof") == 1
    cut = Reason(code="unswept", text="4 bytes of the file were not swept.")
    dump = dataclasses.replace(blocked.dumps[0], reasons=(*blocked.dumps[0].reasons, cut, cut))
    said = text.render(dataclasses.replace(blocked, dumps=(dump,)))
    assert said.count("because       4 bytes of the file were not swept.") == 1


def test_altered_signature_says_whom_to_ask(passed: Report) -> None:
    """Of a dump that a tool hid the report says what it is, and what to do."""
    reason = Reason(code="altered-signature", text="Another signature.")
    dump = dataclasses.replace(passed.dumps[0], verdict=Verdict.INCOMPLETE, reasons=(reason,))
    said = " ".join(text.render(dataclasses.replace(passed, dumps=(dump,))).split())
    assert "because Another signature. then Ask who took the dump" in said


def test_suppressed_says_why(passed: Report) -> None:
    """What was set aside is listed with its reason, and counted."""
    said = text.render(passed)
    assert "suppressed    published: RFC 9500\n                jwt        1122" in said


@pytest.mark.parametrize("width", [79, 80, 100])
def test_digests_are_whole_or_halved(several: Report, width: int) -> None:
    """A digest stands on one line where there is room, else in halves: no digit stands alone."""
    (*_, dump) = several.dumps
    report = dataclasses.replace(several, dumps=(dump,))
    sizes = set(map(len, re.findall(r"[0-9a-f]{16,}", text.render(report, width=width))))
    assert sizes == ({32} if width < 80 else {64})
