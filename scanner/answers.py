"""What comes back from workers, or does not: whatever gave no answer is a fault.

This module decides nothing; it makes sure that nothing which was asked and not answered is left
unsaid.
"""

from collections.abc import Callable
from typing import TypeVar

from scanner.errors import ScannerError
from scanner.model import Fault
from scanner.workers import Crew, Lost

Answer = TypeVar("Answer")


def failed(what: str, answer: object) -> Fault:
    """Say why a call has no answer that counts."""
    match answer:
        case ScannerError(message=message, reason=reason):
            return Fault(code="error", text=f"{what}: {message}: {reason}.")
        case Lost(cause=cause):
            return Fault(code="worker-lost", text=f"{what}: a worker ended with {cause}.")
        case _:
            return Fault(code="short", text=f"{what} whole.")


def asked(
    lead: Crew,
    what: str,
    expected: type[Answer],
    faults: list[Fault],
    call: Callable[..., Answer],
    *arguments: object,
) -> Answer | None:
    """Return the answer to one call; anything but what is expected is a fault."""
    for _, answer in lead.map(call, [arguments]):
        if isinstance(answer, expected):
            return answer
        faults.append(failed(what, answer))
    return None
