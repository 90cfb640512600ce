"""Write small cores in which each detector has something to find: a corpus for ``ledger.py``.

    python benchmarks/plant_detectors.py FOLDER [--forms 8]

Of each detector and relation one core, with what its fuzz target begins with: the examples of its
rules, counterexamples too, and objects made for it. Of the forms of ``catalogue.py`` that the
programs of this machine can write, so many to a core, as bytes. Each stands in a region of its own,
behind text, but for what has pointers: that stands at the addresses to which they lead, one object
to a core. The objects of ``planted.py`` are together in one.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import catalogue, planted
from fixtures import elfcore, noise
from fixtures.elfcore import Segment
from fixtures.foreign import FORMS
from tests.fuzz import detectors, relations
from tests.fuzz.target import Target

LEAD, BEHIND = 1024, 64
"""Bytes of text before an object, and of zeros behind it."""

STEP = 0x10_0000
"""Bytes from the address of an object to the next."""

HALVES = 0x5585_0000_0000, 0x7F19_0000_0000
"""Where the fuzz targets of structures with pointers put the halves of an input."""


def cores(forms: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, core), with so many forms of the catalogue to a core."""
    for target in (*detectors.TARGETS, *relations.TARGETS):
        if target.name.startswith(("at-", "relation-")):
            yield target.name, apart(target.seeds())
        else:
            yield from pointed(target)
    made, _ = catalogue.make(FORMS)
    for first in range(0, len(made), forms):
        yield f"forms-{first // forms:02}", apart(one.data for one in made[first : first + forms])
    objects = planted.objects()
    places = [catalogue.BASE + STEP * number for number, _ in enumerate(objects)]
    rows = [
        Segment(address=at, data=one.placed(at)) for one, at in zip(objects, places, strict=True)
    ]
    yield "planted", elfcore.write(rows).data


def apart(objects: Iterable[bytes]) -> bytes:
    """Return a core in which each object has a region."""
    blocks = [
        noise.text(LEAD, number) + data + bytes(BEHIND)
        for number, data in enumerate(objects)
        if data
    ]
    return elfcore.write(
        [
            Segment(address=catalogue.BASE + STEP * number, data=block)
            for number, block in enumerate(blocks)
        ]
    ).data


def pointed(target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield a core for each object of a target, in two regions where its pointers lead."""
    for number, data in enumerate(target.seeds()):
        half = len(data) // 2
        rows = zip(HALVES, (data[:half], data[half:]), strict=True)
        segments = [Segment(address=start, data=part) for start, part in rows if part]
        if segments:
            yield f"{target.name}-{number}", elfcore.write(segments).data


def main() -> None:
    """Read the command line and write the cores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--forms", type=int, default=8, help="forms of the catalogue to a core")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, data in cores(options.forms):
        (options.folder / f"{re.sub('[^a-z0-9-]', '-', name)}.core").write_bytes(data)


if __name__ == "__main__":
    main()
