"""The exception tree, in one module so that every room can raise without importing another.

    ScannerError              a person can act on it: message, then what to do next
    ├── UsageError            the command line asks for something that cannot be
    ├── DumpError             the dump, or the file that holds it
    │   ├── Unreadable        the file cannot be opened, or read where it claims to have bytes
    │   ├── Damaged           a table of the format contradicts the bytes
    │   └── LimitExceeded     a stated bound on depth, count or size was reached
    ├── SpillNeeded           the input must be copied to seekable storage first
    ├── RuleError             a rule file is not what it should be
    ├── PolicyError           a policy file is not what it should be
    ├── ReportError           the report could not be written
    ├── RedactError           a copy without the secrets of a dump could not be made
    │   └── Unwritten         there was no room for it, or no leave to write it
    ├── AttestError           an attestation could not be made, or does not hold
    ├── SpoolError            a dump could not be filed away now
    ├── FleetError            the scheduler of a fleet cannot be used
    ├── KernelError           the compiled code cannot be loaded
    └── WorkerLost            a worker process died, hung or was killed
    Unmapped                  no bytes at this coordinate; for address spaces only

No message holds bytes of a dump: messages are ours, numbers and coordinates are all they may carry.
Each part is a phrase that begins small and ends without a full stop; a report makes a sentence of
it.
"""


class ScannerError(Exception):
    """An error in three parts: ``message`` (what failed), ``reason`` (why), ``hint`` (do what)."""

    def __init__(self, message: str, *, reason: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.hint = hint

    @property
    def told(self) -> str:
        """What failed, and why where that is known: a phrase."""
        return f"{self.message}: {self.reason}" if self.reason else self.message


class UsageError(ScannerError):
    """The command line asks for something that cannot be."""


class DumpError(ScannerError):
    """The dump, or the file that holds it, cannot be used."""


class Unreadable(DumpError):
    """The file cannot be opened, or not read where it claims to have bytes."""


class Damaged(DumpError):
    """A table of the format contradicts the bytes of the file."""


class LimitExceeded(DumpError):
    """A stated bound on depth, count or size was reached."""


class SpillNeeded(ScannerError):
    """The input is compressed or cannot be sought, and no spill file was given."""


class RuleError(ScannerError):
    """A rule file is not what it should be."""


class PolicyError(ScannerError):
    """A policy file is not what it should be."""


class ReportError(ScannerError):
    """The report could not be written."""


class RedactError(ScannerError):
    """A copy without the secrets of a dump could not be made."""


class Unwritten(RedactError):
    """There was no room for a redacted copy, or no leave to write it."""


class AttestError(ScannerError):
    """An attestation could not be made, or does not hold."""


class SpoolError(ScannerError):
    """A dump could not be filed away now; it is where it was."""


class FleetError(ScannerError):
    """The scheduler of a fleet cannot be used."""


class KernelError(ScannerError):
    """The compiled code that searches cannot be loaded, or is another version's."""


class WorkerLost(ScannerError):
    """A worker process died, hung or was killed."""


class Unmapped(LookupError):
    """No bytes stand at this coordinate. Carries the coordinate, never bytes."""


def phrase(text: str) -> str:
    """Return a sentence as a phrase: begun small, unless by an abbreviation; no full stop."""
    small = text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
    return small if small.endswith("...") else small.removesuffix(".")


def cause(error: OSError | ValueError) -> str:
    """Return, as a phrase, why the system refused a file; ValueError is what no path can be."""
    if not isinstance(error, OSError):
        return "it is no path"
    return phrase(error.strerror) if error.strerror else type(error).__name__


def remedy(error: OSError | ValueError) -> str:
    """Return, as a phrase, what to do about a file that cannot be read."""
    if isinstance(error, IsADirectoryError):
        return "name a file, not a directory"
    if isinstance(error, PermissionError):
        return "see that this account may read it"
    return "check the path"
