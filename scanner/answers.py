"""What comes back from workers, or does not: whatever gave no answer is a fault.

This module decides nothing; it makes sure that nothing which was asked and not answered is left
unsaid.
"""

from collections.abc import Sequence
from typing import Any

from scanner.errors import ScannerError
from scanner.model import Fault
from scanner.workers import Crew, Lost, Question


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
    crew: Crew, questions: Sequence[tuple[str, type, Question]], faults: list[Fault]
) -> list[Any]:
    """Return the answers to some questions: (what it means to have none, what is expected, call).

    Anything but what is expected is a fault, and None.
    """
    answers = dict(crew.map([question for _, _, question in questions]))
    found = []
    for index, (what, expected, _) in enumerate(questions):
        answer = answers.get(index)
        if not isinstance(answer, expected):
            faults.append(failed(what, answer))
            answer = None
        found.append(answer)
    return found
