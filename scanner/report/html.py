"""The report as one page for a browser: verdict, what to do, a picture, one card a key.

Nothing is fetched: no image, font, style or script from elsewhere, and a content security policy in
the page allows its own style and its own few lines of script by their hashes and refuses everything
else. The page says all that it says without the script, which adds a search. Many dumps are one
page. This module decides nothing and shows no byte of a dump.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scanner.dump.draft import base_name
from scanner.model import DumpReport, Finding, Occurrence, Report, Verdict
from scanner.report import filemap, memorymap, wording
from scanner.report.markup import Content, Node, add, element, lines, quoted, rows, serialise
from scanner.report.printable import printable

MOST_PLACES = 200
"""Places of one key that are shown; the JSON report has all."""

MOST_ROWS = 500
"""Faults, gaps, reasons, suppressed keys of one dump that are shown."""

OPEN_PLACES = 8
"""Places of one key that are shown without a click."""

OPEN_STEPS = 10
"""Keys to rotate that are listed without a click."""

_SIGNS = {Verdict.PASS: "✓", Verdict.BLOCKED: "✕", Verdict.INCOMPLETE: "!"}


def render(report: Report) -> str:
    """Return one HTML document that needs nothing else."""
    here = Path(__file__).resolve().parent
    style = (here / "html.css").read_text("utf-8")
    script = (here / "html.js").read_text("utf-8")
    body = element("body", _banner(report), element("main"))
    main = body[-1]
    if len(report.dumps) > 1:
        add(main, _fleet(report), _overview(report))
    add(main, _search())
    for number, dump in enumerate(report.dumps, 1):
        inner = wording.within(report, number - 1)
        add(main, _dump(dump, number, inner, alone=len(report.dumps) == 1))
    add(body, _footer(report), element("script", script))
    page = element("html", _head(report, style, script), body, lang="en")
    return f"<!DOCTYPE html>\n{serialise(page)}\n"


def _head(report: Report, style: str, script: str) -> Node:
    names = ", ".join(printable(base_name(dump.path), 80) for dump in report.dumps[:3])
    security = (
        f"default-src 'none'; style-src {_allowed(style)}; script-src {_allowed(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=security),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{report.verdict.value}: {names} - keysift"),
        element("style", style),
    )


def _allowed(text: str) -> str:
    """Return the source expression that allows one inline text (CSP Level 3, section 2.3.1)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


# --- the whole report ---------------------------------------------------------------------------


def _banner(report: Report) -> Node:
    """Return the verdict at a glance."""
    if len(report.dumps) == 1:
        (dump,) = report.dumps
        said = [element("p", quoted(dump.path), class_="path")]
        said.append(element("p", wording.headline(dump)))
    else:
        said = [element("p", wording.tally(report))]
    sign = element("span", _SIGNS[report.verdict], class_="sign", aria_hidden="true")
    verdict = element("h1", sign, report.verdict.value)
    return element("header", element("div", verdict, *said), class_=f"banner {report.verdict}")


def _overview(report: Report) -> Node:
    head = [element("th", text, scope="col") for text in ("verdict", "dump", "found", "swept")]
    body = element("tbody")
    numbered = enumerate(report.dumps, 1)
    for number, dump in sorted(numbered, key=lambda one: wording.WORST_FIRST.index(one[1].verdict)):
        link = element("a", quoted(dump.path), href=f"#dump-{number}")
        cells = (_badge(dump.verdict), link, wording.counted(dump.findings), _share(dump))
        add(body, element("tr", *(element("td", cell) for cell in cells)))
    table = element("table", element("thead", element("tr", *head)), body)
    return element("section", element("div", table, class_="wide"), class_="overview")


def _fleet(report: Report) -> Node | None:
    """Return which key to act on is in how many dumps."""
    keys = wording.over_fleet(report)
    if not keys:
        return None
    listed = element("ul")
    for finding, key in keys[:MOST_ROWS]:
        link = element("a", quoted(report.dumps[key.first].path), href=f"#dump-{key.first + 1}")
        when = f" {printable(key.first_seen)}" if key.first_seen else ""
        said = f", in {wording.count(len(key.dumps), 'dump', 'dumps')}, first seen{when} in "
        which = [*wording.certificate(finding), *wording.otherwise_known(finding)][:1]
        name = element("strong", f"{wording.name(finding)} {wording.kind(finding)}")
        code = element("div", quoted(finding.fingerprint.value, "code"))
        bdis = (element("span", " ", bdi) for bdi in lines(which))
        add(listed, element("li", name, *bdis, said, link, code))
    if len(keys) > MOST_ROWS:
        add(listed, element("li", f"and {len(keys) - MOST_ROWS:,} more"))
    return element("section", element("h3", "Keys over all dumps"), listed, class_="facts")


def _share(dump: DumpReport) -> str:
    """Return the part of the bytes that was swept; 100 % means every single one."""
    cover = dump.coverage
    if cover.scanned_bytes == cover.file_bytes:
        return "100 %"
    return f"{int(1000 * cover.scanned_bytes / max(cover.file_bytes, 1)) / 10:.1f} %"


def _search() -> Node:
    box = element("input", type="search", id="q", autocomplete="off", spellcheck="false")
    box.set("placeholder", "name, fingerprint, encoding, address ...")
    count = element("output", for_="q", id="hits")
    label = element("label", "Find a key ", box, for_="q")
    return element("div", label, count, class_="search", id="search", hidden="hidden")


def _footer(report: Report) -> Node:
    last = element("p", element("strong", report.verdict.value), wording.last_line(report))
    facts: list[tuple[str, list[Content]]] = [
        ("keysift", [quoted(report.tool_version)]),
        ("rules", _code(report.rules_sha256)),
        ("policy", _code(report.policy_sha256)),
        ("known keys", _code(report.known_sha256)),
        ("baseline", _code(report.baseline_sha256)),
    ]
    return element("footer", last, rows(facts))


def _badge(verdict: Verdict) -> Node:
    return element("span", verdict.value, class_=f"badge {verdict}")


def _code(text: str) -> list[Content]:
    return [quoted(text, "code")] if text else []


# --- one dump -----------------------------------------------------------------------------------


def _dump(dump: DumpReport, number: int, inner: int, *, alone: bool) -> Node:
    findings = wording.named_first(dump.findings)
    names = [f"key-{number}-{index}" for index in range(1, len(findings) + 1)]
    section = element("section", class_="dump", id=f"dump-{number}")
    if not alone:
        title = element("h2", _badge(dump.verdict), " ", quoted(dump.path))
        add(section, title, element("p", wording.headline(dump, inner)))
    add(section, _to_do(dump, findings, names))
    add(section, filemap.figure(dump.coverage, findings, names))
    add(section, memorymap.figure(dump.coverage, findings, names))
    if findings:
        cards = [_card(f, name) for f, name in zip(findings, names, strict=True)]
        add(section, element("div", *cards, class_="cards"))
    add(section, _facts(dump), _suppressed(dump))
    return section


def _to_do(dump: DumpReport, findings: Sequence[Finding], names: Sequence[str]) -> Node | None:
    """Return why the verdict is what it is, and the steps: the last of them is never hidden."""
    pairs = zip(findings, names, strict=True)
    acting = [(finding, name) for finding, name in pairs if wording.acts(finding)]
    once = [finding for finding, _ in acting if wording.is_nonce(finding)]
    steps = [_step(finding, name) for finding, name in acting if not wording.is_nonce(finding)]
    steps += [element("li", "Rotate ", " ".join(wording.signed_with(once)))] if once else []
    reasons = _bounded(wording.reasons(dump, every=False))
    box = element("div", class_=f"to-do {dump.verdict}")
    if reasons:
        listed = (element("li", element("bdi", reason)) for reason in reasons)
        add(box, element("h3", "Why"), element("ul", *listed))
    if steps or dump.verdict is not Verdict.PASS:
        add(box, element("h3", "What to do"), element("ol", *steps[:OPEN_STEPS]))
    if len(steps) > OPEN_STEPS:
        title = element("summary", f"{len(steps) - OPEN_STEPS:,} more to rotate or to revoke")
        rest = element("ol", *steps[OPEN_STEPS:], start=f"{OPEN_STEPS + 1}")
        add(box, element("details", title, rest), element("ol", start=f"{len(steps) + 1}"))
    if dump.verdict is not Verdict.PASS:
        add(box[-1], element("li", wording.next_step(dump)))
    if any(wording.acts(finding) and wording.certified(finding) for finding in findings):
        add(box, element("p", wording.EXPIRY))
    return box if len(box) else None


def _step(finding: Finding, name: str) -> Node:
    which = [*wording.certificate(finding), *wording.otherwise_known(finding)][:1]
    verb = wording.verb(finding).capitalize()
    link = element("a", f"{verb} {wording.name(finding)}", href=f"#{name}")
    return element("li", link, *(element("span", " ", bdi) for bdi in lines(which)))


def _facts(dump: DumpReport) -> Node:
    cover = dump.coverage
    kind = ", ".join(map(printable, (dump.format, dump.arch, *dump.content.layers)))
    size = wording.count(dump.size, "byte", "bytes")
    regions = wording.count(cover.regions, "region", "regions")
    pairs: list[tuple[str, list[Content]]] = [
        ("file", [f"{kind}, {size}"]),
        ("SHA-256", _code(dump.sha256)),
        ("of the content", _code(dump.content.sha256) if dump.content.layers else []),
        ("looked at", [f"{wording.swept([dump])}, {regions}"]),
        ("accepted", lines(list(map(printable, dump.accepted)))),
    ]
    for code, gaps in wording.gaps_by_code(cover.gaps):
        pairs.append((code.replace("-", " "), [wording.gaps_said(code, gaps)]))
    faults = dict.fromkeys(dump.content.faults + cover.faults)
    said = [f"{printable(f.code)}: {printable(f.text, 400)}" for f in faults]
    pairs.append(("faults", lines(_bounded(said))))
    return element("div", element("h3", "The file"), rows(pairs), class_="facts")


def _bounded(texts: list[str]) -> list[str]:
    rest = len(texts) - MOST_ROWS
    return texts[:MOST_ROWS] + ([f"and {rest:,} more"] if rest > 0 else [])


def _suppressed(dump: DumpReport) -> Node | None:
    if not dump.suppressed:
        return None
    listed = element("ul")
    for why, group in wording.by_note(dump.suppressed[:MOST_ROWS]):
        keys = element("ul")
        for finding in group:
            said = f"{wording.name(finding)} {wording.kind(finding)} "
            add(keys, element("li", said, quoted(finding.fingerprint.value, "code")))
        add(listed, element("li", element("bdi", why), keys))
    rest = len(dump.suppressed) - MOST_ROWS
    if rest > 0:
        add(listed, element("li", f"and {rest:,} more"))
    title = element("summary", f"Set aside: {wording.counts(dump.suppressed)}")
    return element("details", title, listed, class_="aside")


# --- one key ------------------------------------------------------------------------------------


def _card(finding: Finding, name: str) -> Node:
    severity, confidence = finding.severity.name.lower(), finding.confidence.name.lower()
    chips = [
        element("span", severity, class_=f"chip {severity}"),
        element("span", confidence, class_="chip"),
        element("span", "blocks", class_="chip blocking") if finding.blocks else None,
        None if wording.named(finding) else element("span", "unnamed", class_="chip"),
    ]
    title = element("h3", f"{wording.name(finding)} {wording.kind(finding)} ", *chips)
    public = finding.public
    pairs: list[tuple[str, list[Content]]] = [
        ("certificate", lines(list(wording.certificate(finding)))),
        ("named by", lines([wording.names(finding)] if finding.names else [])),
        ("SSH", _code(public.ssh_fingerprint)),
        ("issuer", [quoted(public.issuer)] if public.issuer else []),
        ("audience", [quoted(public.audience)] if public.audience else []),
        ("expires", [quoted(public.not_after)] if _expires(finding) else []),
        ("key id", [quoted(public.kid)] if public.kid else []),
        (wording.fingerprint_kind(finding), _code(finding.fingerprint.value)),
        ("proof", _code(finding.proof)),
        ("exponent", ["not found, taken to be 65537"] if public.e_assumed else []),
        ("protection", [quoted(finding.protection)] if finding.protection else []),
        ("policy", [quoted(finding.note)] if finding.note else []),
        ("encodings", [element("bdi", ", ".join(_encodings(finding)))]),
        ("lies in", lines(_owners(finding))),
        ("to do", [element("strong", wording.advice(finding))]),
    ]
    kind = f"card {severity}{' blocking' if finding.blocks else ''}"
    return element("article", title, rows(pairs), *_places(finding), class_=kind, id=name)


def _expires(finding: Finding) -> bool:
    """Say whether a token tells its end; a certificate's stands with its subject."""
    return finding.kind == "token" and bool(finding.public.not_after)


def _encodings(finding: Finding) -> list[str]:
    """Return each encoding with how often it stands, the most frequent first."""
    counted = Counter(printable(o.encoding) for o in finding.occurrences)
    said = [f"{text} × {times:,}" if times > 1 else text for text, times in counted.most_common(12)]  # noqa: RUF001 - a times sign
    return said + ([f"and {len(counted) - 12} more"] if len(counted) > 12 else [])


def _owners(finding: Finding) -> list[str]:
    heads = wording.places_by_region(finding.occurrences)
    said = [f"{head}: {wording.count(len(of), 'place', 'places')}" for head, of in heads[:12]]
    return said + ([f"and {len(heads) - 12} more"] if len(heads) > 12 else [])


def _places(finding: Finding) -> list[Node]:
    shown = finding.occurrences[:MOST_PLACES]
    if not shown:
        return []
    made = [_table(shown[:OPEN_PLACES])]
    if len(shown) > OPEN_PLACES:
        rest = len(finding.occurrences) - OPEN_PLACES
        title = element("summary", wording.count(rest, "more place", "more places"))
        made.append(element("details", title, _table(shown[OPEN_PLACES:])))
        hidden = len(finding.occurrences) - MOST_PLACES
        if hidden > 0:
            more = wording.count(hidden, "place is", "places are")
            add(made[-1], element("p", f"{more} in the JSON report alone."))
    return made


def _table(occurrences: Sequence[Occurrence]) -> Node:
    names = ("address", "file offset", "bytes", "encoding")
    head = element("tr", *(element("th", text, scope="col") for text in names))
    body = element("tbody")
    for occurrence in occurrences:
        extent = occurrence.extents[0]
        address, _ = wording.coordinate(extent)
        pieces = len(occurrence.extents)
        more = f", in {pieces} pieces" if pieces > 1 else ""
        state = () if occurrence.state == "unknown" else (", ", quoted(occurrence.state))
        cells: list[Content] = [
            element("code", address),
            element("code", hex(extent.file_offset)),
            f"{sum(e.size for e in occurrence.extents):,}",
            element("span", quoted(occurrence.encoding), *state, more),
        ]
        add(body, element("tr", *(element("td", cell) for cell in cells)))
    return element("div", element("table", element("thead", head), body), class_="wide places")
