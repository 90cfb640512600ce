"""The JUnit report is green exactly when the dump may leave."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from scanner.model import Report, Verdict
from scanner.report import junit


def read(report: Report) -> ET.Element:
    """Return the root element of a rendered report."""
    return ET.fromstring(junit.render(report).encode("ascii"))  # noqa: S314 - our own


def test_green_is_pass(report: Report, foul: Report) -> None:
    """A suite has neither failure nor error if and only if its dump passes."""
    for each in (report, foul):
        root = read(each)
        assert len(root) == len(each.dumps)
        for suite, dump in zip(root, each.dumps, strict=True):
            red = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
            assert (red == 0) is (dump.verdict is Verdict.PASS)


def test_counts(report: Report) -> None:
    """The counts are those of the elements, in each suite and in all."""
    root = read(report)
    tags = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for element in (root, *root):
        for name, tag in tags.items():
            assert int(element.attrib[name]) == len(list(element.iter(tag)))
    assert root.attrib["skipped"] == str(sum(len(dump.suppressed) for dump in report.dumps))


def test_a_class_is_the_base_name_of_a_dump(report: Report) -> None:
    """The base name is that of the path, whatever is escaped in it, or was in a saved report."""
    for path in (
        "/spool/na\udcffme.core",
        "C:\\dumps\\na\udcffme.core",
        "/spool/na\\udcffme.core",
    ):
        (dump, *_) = report.dumps
        root = read(replace(report, dumps=(replace(dump, path=path),)))
        names = {case.attrib["classname"] for case in root.iter("testcase")}
        assert names == {"keysift.na\\udcffme_core"}


def test_a_failure_says_which_key(blocked: Report) -> None:
    """A failure names the certificate, the fingerprint and the places."""
    failures = [element.text or "" for element in read(blocked).iter("failure")]
    (said,) = [text for text in failures if "CN=sts.example.org" in text]
    assert "SPKI SHA-256 " + "7d9c2f10" * 8 in said
    assert "0x55d04c108b40 file 0x1f340 raw-LE" in said
