"""The first question to a worker: can each rule be used, does what searches, and what is the dump.

It refuses a rule that nothing here looks for, and to begin without the compiled code: a dump would
pass as if it had been searched.
"""

from scanner.errors import RuleError
from scanner.kernels import library
from scanner.stages import withhold
from scanner.stages.calls import RELATED, TOKENS
from scanner.stages.examine import EXAMINERS, OPENED
from scanner.stages.relate import SCHEDULES
from scanner.stages.session import Session, Survey

DETECTORS = (
    *(name for name, _ in EXAMINERS),
    *(name for name, _ in RELATED),
    *(name for name, _ in SCHEDULES),
    OPENED,
    TOKENS,
)
"""What a rule may name as its detector."""


def survey(session: Session) -> Survey:
    """Say what the dump is; no name in it is a secret. Raises RuleError, KernelError."""
    for rule in session.rules:
        if rule.detector not in DETECTORS:
            raise RuleError(
                f"the rule {rule.id} cannot be used",
                reason="it names a detector that does not exist",
                hint=f"detectors: {', '.join(DETECTORS)}",
            )
    library.load()
    return withhold.survey(session)
