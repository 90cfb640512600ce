"""Stage one, as the parent drives it: each task is swept, or was before the scan was interrupted.

What was swept before counts only where all of it holds: beside the hashing of the file, every byte
that a kept task saw is read and sealed again, and a single seal that differs, or that nobody could
make, means that all tasks are swept.
"""

from dataclasses import replace

from scanner.engine import records, resume
from scanner.engine.answers import failed
from scanner.engine.records import Past, Tasks
from scanner.engine.resume import Journal
from scanner.model import Fault
from scanner.processes.workers import Crew
from scanner.progress import Progress
from scanner.stages import shade
from scanner.stages.sweep import Gathered, Swept, gathered, seal, sweep


def sweep_all(
    crew: Crew,
    tasks: Tasks,
    file_size: int,
    journal: Journal | None,
    faults: list[Fault],
    progress: Progress,
) -> Gathered:
    """Run stage one over all tasks; a task without an answer is a fault."""
    sizes, salt, past = records.sizes(tasks), b"", records.nothing(file_size)
    if journal is not None:
        salt, past = journal.salt, _past(crew, tasks, journal, progress)
    swept, shades = past.swept, past.shades
    left = [index for index in range(len(tasks)) if index not in swept]
    progress.phase("sweeping", sum(sizes[index] for index in left))
    for number, answer in crew.map([(sweep, tasks[index], salt) for index in left]):
        index = left[number]
        if isinstance(answer, Swept) and answer.swept_bytes == sizes[index]:
            if journal is not None:
                journal.add(index, answer)
            shades += answer.shades
            swept[index] = replace(answer, shades=shade.empty(0))
        else:
            faults.append(failed(f"Task {index} of {len(tasks)} was not swept", answer))
        progress.advance(sizes[index])
    return gathered(swept, shades)


def _past(crew: Crew, tasks: Tasks, journal: Journal, progress: Progress) -> Past:
    """Return what a journal has, if each of its tasks sees now what it saw then; else nothing."""
    past, sizes = journal.past, records.sizes(tasks)
    kept = sorted(past.swept)
    if not kept:
        return past
    progress.phase("checking", sum(sizes[index] for index in kept))
    same = 0
    for number, answer in crew.map([(seal, tasks[index], journal.salt) for index in kept]):
        same += answer == past.swept[kept[number]].seal
        progress.advance(sizes[kept[number]])
    if same == len(kept):
        swept = sum(sizes[index] for index in kept)
        journal.tell(
            resume.GOES_ON,
            f"{swept:,} of {sum(sizes):,} bytes were swept, and are what they were",
        )
    else:
        journal.forget()
        journal.tell("the scan begins anew", "bytes that were swept are not what they were")
    return past
