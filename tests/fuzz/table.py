"""All targets, in the order of a round."""

from tests.fuzz import detectors, formats, operators, packed, readers, relations, whole, written
from tests.fuzz.target import Target

GROUPS: tuple[tuple[str, tuple[Target, ...]], ...] = (
    (
        "credentials",
        (
            *readers.TARGETS,
            *written.TARGETS,
            *detectors.TARGETS,
            *relations.TARGETS,
            *operators.TARGETS,
        ),
    ),
    ("formats", (*formats.TARGETS, *packed.TARGETS, *whole.TARGETS)),
)
"""What a dump holds, with what operators write; and what a dump is."""

TARGETS = tuple(target for _, targets in GROUPS for target in targets)
