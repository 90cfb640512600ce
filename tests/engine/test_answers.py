"""What workers answer, and what it means where they do not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from scanner.engine.answers import Asked, answered, asked
from scanner.errors import Damaged
from scanner.processes.workers import Crew, InProcess, Processes

if TYPE_CHECKING:
    from scanner.model import Fault


class Session:
    """The state of a worker under test."""


def same(_session: Session, value: object) -> object:
    """Answer with what is given."""
    return value


def refuse(_session: Session) -> None:
    """Raise an error of ours."""
    raise Damaged("a table is cut", reason="it ends early")


@pytest.fixture(params=[(InProcess, ()), (Processes, (1,)), (Processes, (2,))])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    """Return a crew of this process, of one worker, of two."""
    kind, count = request.param
    made: Crew = kind(*count, Session)
    yield made
    made.close()


def test_questions_may_grow_while_answers_come(crew: Crew) -> None:
    """Each answer asks for the next one; all come, each once, and nothing is a fault."""
    questions: list[Asked] = [("first", int, (same, 0)), ("other", str, (same, "other"))]
    faults: list[Fault] = []
    found: list[tuple[int, object]] = []
    for index, answer in answered(crew, questions, faults):
        found.append((index, answer))
        if isinstance(answer, int) and answer < 20:
            questions.append((f"after {answer}", int, (same, answer + 1)))
    assert sorted(found, key=lambda pair: pair[0]) == [
        (0, 0), (1, "other"), *((number + 1, number) for number in range(1, 21))
    ]  # fmt: skip
    assert faults == []
    assert {call for _, _, call in questions} == {(same,)}, "arguments are kept after the answer"


def test_anything_but_what_is_expected_is_a_fault(crew: Crew) -> None:
    """A wrong type is none."""
    faults: list[Fault] = []
    questions: list[Asked] = [("Nothing was done", int, (same, "text")), ("more", int, (same, 7))]
    assert asked(crew, questions, faults) == [None, 7]
    assert [(fault.code, fault.text) for fault in faults] == [("short", "Nothing was done whole.")]


def test_an_error_of_ours_is_said() -> None:
    """What a worker raises is a fault with its reason."""
    faults: list[Fault] = []
    crew = Processes(1, Session)
    try:
        assert asked(crew, [("Nothing was done", int, (refuse,))], faults) == [None]
    finally:
        crew.close()
    assert [fault.text for fault in faults] == ["Nothing was done: a table is cut: it ends early."]


def test_what_nobody_answers_is_a_fault() -> None:
    """A crew that forgets a question does not make it unsaid."""

    class Forgetful(InProcess):
        """Answers the first question alone."""

        def map(self, batch):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
            yield from list(super().map(batch))[:1]

    faults: list[Fault] = []
    questions: list[Asked] = [("One", int, (same, 1)), ("Two", int, (same, 2))]
    assert asked(Forgetful(Session), questions, faults) == [1, None]
    assert [fault.text for fault in faults] == ["Two whole."]
