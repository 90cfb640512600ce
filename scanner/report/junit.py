"""The report as JUnit XML, for pipelines that show tests and nothing else.

Each dump is a suite. Its first case says whether every byte was looked at, and is an error where
that is not so; each key is a case that fails where it blocks, passes where it does not, and is
skipped where it was set aside. So the suite is green exactly when the verdict is ``pass``. No time
is written: this module knows of none.
"""

import re
from xml.etree import ElementTree as ET

from scanner import model
from scanner.dump.draft import base_name
from scanner.report import wording
from scanner.report.printable import printable

_TEXT = 1000
SHOWN = 50
"""Places of one key that are written."""
_WRITTEN_OUT = re.compile(r"\\u(dc[89a-f][0-9a-f])")
"""What a saved report has for a byte of a name that is no UTF-8."""


def render(report: model.Report) -> str:
    """Return one ``testsuites`` element with one ``testsuite`` a dump, ASCII."""
    root = ET.Element("testsuites", name="keysift")
    for dump in report.dumps:
        root.append(_suite(dump))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    text: str = ET.tostring(root, encoding="us-ascii", xml_declaration=True).decode("ascii")
    return text + "\n"


def _suite(dump: model.DumpReport) -> ET.Element:
    suite = ET.Element("testsuite", name=printable(dump.path, _TEXT))
    suite.append(_whole(dump))
    for finding in wording.named_first(dump.findings):
        suite.append(_case(dump, finding))
    for finding in dump.suppressed:
        case = _case(dump, finding, aside=True)
        ET.SubElement(case, "skipped", message=printable(finding.note, _TEXT) or "no reason given")
        suite.append(case)
    suite.set("tests", str(len(suite)))
    counted = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    for name, tag in counted:
        suite.set(name, str(len(suite.findall(f"./testcase/{tag}"))))
    return suite


def _whole(dump: model.DumpReport) -> ET.Element:
    """Return the case that fails unless every byte was looked at."""
    case = ET.Element("testcase", classname=_class(dump), name="every byte was looked at")
    missing = [r for r in dump.reasons if r.code not in wording.FINDING_CODES]
    if missing:
        error = ET.SubElement(case, "error", type=printable(missing[0].code))
        error.set("message", printable(missing[0].text, _TEXT))
        texts = dict.fromkeys(printable(reason.text, _TEXT) for reason in missing)
        error.text = "\n".join(texts)
    ET.SubElement(case, "system-out").text = f"{dump.verdict.value}: swept {wording.swept([dump])}"
    return case


def _case(dump: model.DumpReport, finding: model.Finding, *, aside: bool = False) -> ET.Element:
    name = f"{wording.name(finding)} {wording.kind(finding)} {finding.fingerprint.value[:16]}"
    case = ET.Element("testcase", classname=_class(dump), name=name)
    text = "\n".join(_said(finding))
    if finding.blocks and not aside:
        failure = ET.SubElement(case, "failure", type=finding.severity.name.lower())
        failure.set("message", f"{wording.name(finding)} {wording.kind(finding)} in the dump")
        failure.text = text
    elif not aside:
        ET.SubElement(case, "system-out").text = text
    return case


def _said(finding: model.Finding) -> list[str]:
    kind, value = wording.fingerprint_kind(finding), printable(finding.fingerprint.value)
    lines = [*wording.certificate(finding), *wording.otherwise_known(finding), f"{kind} {value}"]
    lines += [f"confidence {finding.confidence.name.lower()} {printable(finding.proof)}".rstrip()]
    lines += [printable(finding.note, _TEXT)] if finding.note else []
    for occurrence in finding.occurrences[:SHOWN]:
        address, offset = wording.coordinate(occurrence.extents[0])
        lines.append(f"{address} {offset} {printable(occurrence.encoding)}")
    rest = len(finding.occurrences) - SHOWN
    if rest > 0:
        lines.append(f"and {wording.count(rest, 'more place', 'more places')}")
    return [*lines, wording.advice(finding)]


def _class(dump: model.DumpReport) -> str:
    """Return the dump's base name; a dot would part it into packages."""
    path = _WRITTEN_OUT.sub(lambda match: chr(int(match[1], 16)), dump.path)
    return f"keysift.{printable(base_name(path), _TEXT).replace('.', '_')}"
