"""What comes back from workers, or does not: whatever gave no answer is a fault.

This module decides nothing; it makes sure that nothing which was asked and not answered is left
unsaid.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from scanner.errors import ScannerError, Unreadable, WorkerLost
from scanner.model import Fault
from scanner.processes.workers import Crew, Lost, Question

MAY_PASS = frozenset(("worker-lost", "unreadable", "no-digest"))
"""Codes of faults of the moment: another scan of the same dump may have none."""

Asked = tuple[str, type, Question]
"""What it means to have no answer, what is expected as one, and the call."""


def failed(what: str, answer: object) -> Fault:
    """Say why a call has no answer that counts."""
    match answer:
        case ScannerError(told=told):
            codes = ((WorkerLost, "worker-lost"), (Unreadable, "unreadable"))
            code = next((code for kind, code in codes if isinstance(answer, kind)), "error")
            return Fault(code=code, text=f"{what}: {told}.")
        case Lost(cause=cause):
            return Fault(code="worker-lost", text=f"{what}: a worker ended with {cause}.")
        case _:
            return Fault(code="short", text=f"{what} whole.")


def answered(crew: Crew, questions: list[Asked], faults: list[Fault]) -> Iterator[tuple[int, Any]]:
    """Yield (index, answer) as answers come; anything but what is expected is a fault, and None.

    The questions may grow between two answers, and lose their arguments once answered: of a large
    dump those are megabytes. One that nobody answered at all is a fault as well.
    """
    batch = [call for _, _, call in questions]
    left = set(range(len(batch)))
    for index, answer in crew.map(batch):
        left.discard(index)
        what, expected, call = questions[index]
        batch[index] = call[:1]
        questions[index] = (what, expected, call[:1])
        if isinstance(answer, expected):
            yield index, answer
        else:
            faults.append(failed(what, answer))
            yield index, None
        left.update(range(len(batch), len(questions)))
        batch += [call for _, _, call in questions[len(batch) :]]
    faults += [failed(questions[index][0], None) for index in sorted(left)]


def asked(crew: Crew, questions: Sequence[Asked], faults: list[Fault]) -> list[Any]:
    """Return the answers to some questions, in their order; see :func:`answered`."""
    answers = dict(answered(crew, list(questions), faults))
    return [answers.get(index) for index in range(len(questions))]
