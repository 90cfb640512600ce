"""One file through the gate: scanned, correlated, judged.

For every command that acts on a verdict. What goes wrong with a file is a report that says
``incomplete``, so that no caller can take silence for a pass. This module refuses to say anything:
what a person should hear is handed to whoever asked.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from scanner import correlate, fingerprint, policy, published
from scanner.engine import scanning
from scanner.engine.resume import Resume, Tell
from scanner.engine.scanning import Scan, ScanRequest
from scanner.errors import PolicyError, RuleError, ScannerError, UsageError
from scanner.model import DumpReport, Report
from scanner.policy import Ruling
from scanner.progress import Progress
from scanner.urls import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How files are scanned and by what they are judged: the same for all of one command line."""

    request: ScanRequest
    """Its path is that of no file."""
    ruling: Ruling
    rules_sha256: str
    known_sha256: str
    policy_sha256: str
    """Empty where neither a policy nor --fail-on was given."""
    baseline_sha256: str

    @property
    def mode(self) -> str:
        """How it was looked: ``deep``, and what the operator let pass that else would not, ``raw``.

        ``default`` where nothing was said.
        """
        said = (("deep", self.request.deep), ("raw", self.request.raw))
        return "+".join(word for word, is_so in said if is_so) or "default"


def kept(gate: Gate, folder: str, tell: Tell, ended: Callable[[str], None]) -> Gate:
    """Return the gate whose scans are kept in a folder, and go on if they are interrupted.

    ``ended`` hears which journals :func:`scanner.engine.resume.drop` is for, once the reports are
    safe.
    """
    terms = (
        ("rules", gate.rules_sha256),
        ("policy", gate.policy_sha256),
        ("known keys", gate.known_sha256),
        ("baseline", gate.baseline_sha256),
        ("fingerprint key", fingerprint.key_id(gate.request.fingerprint_key)),
        ("mode", gate.mode),
    )
    resume = Resume(folder=folder, terms=terms, tell=tell, ended=ended)
    return replace(gate, request=replace(gate.request, resume=resume))


def judged(
    gate: Gate, path: str, progress: Progress, tell: Callable[[ScannerError], None]
) -> tuple[DumpReport, ...]:
    """Return the report on a file, and behind it those on the dumps within.

    ``tell`` hears why a file could not be scanned. Raises UsageError, PolicyError and RuleError,
    which say nothing of the file; and, under --debug, whatever a fault of ours raises.
    """
    try:
        scanned = scanning.scan_all(replace(gate.request, path=path), progress)
        return tuple(_judge(one, gate) for one in scanned)
    except (UsageError, PolicyError, RuleError):
        raise
    except ScannerError as error:
        failed = error
    except Exception as error:  # a fault of ours in one dump says nothing of the others
        if gate.request.in_process:
            raise
        name, hint = "the scan failed by a fault of keysift itself", "--debug says where"
        if isinstance(error, MemoryError):
            name = "the scan needs more memory than there is"
            hint = "try fewer --jobs, or a machine with more memory"
        failed = ScannerError(
            name, reason=type(error).__name__, hint=f"{hint}; do not send the dump"
        )
    tell(failed)
    return (policy.unreadable(shown(path), failed),)


def report(gate: Gate, dumps: Sequence[DumpReport]) -> Report:
    """Return one report on all that was judged."""
    return policy.combine(
        dumps,
        rules_sha256=gate.rules_sha256,
        known_sha256=gate.known_sha256,
        policy_sha256=gate.policy_sha256,
        baseline_sha256=gate.baseline_sha256,
        fingerprint_key_id=fingerprint.key_id(gate.request.fingerprint_key),
        mode=gate.mode,
    )


def _judge(scanned: Scan, gate: Gate) -> DumpReport:
    found = correlate.findings(scanned, gate.request.rules)
    counting, aside = correlate.set_aside(found, _published() if found else {})
    return policy.judge(scanned, counting, aside, gate.ruling)


@functools.cache
def _published() -> dict[str, published.Published]:
    """Read the list once: an archive may hold hundreds of dumps, a folder any number."""
    return published.load()
