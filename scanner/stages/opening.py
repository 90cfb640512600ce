"""The first question to a worker: can each rule be used, and what is the dump.

It refuses a rule that nothing here looks for: a dump would pass as if it had been.
"""

from scanner.errors import RuleError
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
    """Say what the dump is; no name in it is a secret. Raises RuleError."""
    for rule in session.rules:
        if rule.detector not in DETECTORS:
            raise RuleError(
                f"the rule {rule.id} cannot be used",
                reason="it names a detector that does not exist",
                hint=f"detectors: {', '.join(DETECTORS)}",
            )
    return withhold.survey(session)
