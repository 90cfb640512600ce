"""Coverage-guided fuzzing of every parser, by atheris: ``python -m tests.fuzz`` (Linux only).

    pip install atheris
    taskset -c 1 nice -n 19 python -m tests.fuzz --hours 1        all targets in turn
    python -m tests.fuzz.results                                  add what was run to RESULTS.md

A target is a parser, its seeds, and what must hold whatever it is given: no exception that its
contract does not name, no second of processor time, no growth of memory over a bound, and what
``checks`` says of its result. The tables are ``credentials`` (what a dump holds) and ``formats``
(what a dump is). Neither the program nor its tests need atheris: ``test_targets`` runs each target
on its seeds and on a few mutations of them.
"""
