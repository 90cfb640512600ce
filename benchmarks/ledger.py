"""Say of each detector what it finds, what only it finds, and what it costs.

    python benchmarks/ledger.py run OUT DUMP [DUMP ...] [--most BYTES]
    python benchmarks/ledger.py table OUT [--cost RECORD]

A unit is an entry of a registry, ``EXAMINERS.pem``. ``run`` scans each dump in a process of its
own, with all units on, and keeps in OUT which unit yielded what and the CPU seconds of its calls.
Then it scans the dump again for each unit that had yielded something, with that unit off, and keeps
what was lost: that is what only this unit finds. A dump larger than ``--most`` is scanned once,
with all on. The smallest dumps come first, and what OUT has already is passed over, so that a run
cut short goes on; two runs may share OUT where their dumps differ.

Off means: an examiner, a relation and a search for schedules yield nothing; a second look (AGAIN)
proves nothing, so that no copies are traced; a relation of RELATED is given no public keys; a
sifter lets all anchors pass, so that it can lose nothing and is worth what it saves. STRUCTURES
says of what kind detectors are: there is nothing to switch off that EXAMINERS does not have. Rules
of tokens and keys that were opened with a passphrase have no registry, and no row.

``table`` prints a Markdown table. A finding is lost where its fingerprint is gone, a place where
its extents are gone of a finding that is still there; bytes are those that no place holds any more,
and ``otherwise`` counts findings that are there still and have another rule, proof or name. Keys
without a public half are called by their place: of these a finding may be lost and no byte.
Identities are those of ``oracle.py``: no prose and no secret is kept.
"""

import argparse
import functools
import json
import multiprocessing
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import oracle
from scanner import correlate, policy, published, rules
from scanner.detect.algebra.publics import PublicKey
from scanner.dump import space
from scanner.engine import proving, scanning
from scanner.engine.scanning import Scan, ScanRequest
from scanner.errors import ScannerError
from scanner.model import DumpReport
from scanner.progress import Silence
from scanner.report import json as documents
from scanner.stages import calls, examine, opening, relate, sweep, trace, withhold

Record = dict[str, Any]
"""What is kept of one scan, as JSON."""

ALL = "all"
"""The record of the scan with every unit on."""

TESTS = Path(__file__).resolve().parents[1] / "tests"

REGISTRIES: dict[str, tuple[tuple[Any, ...], int]] = {
    "EXAMINERS": (examine.EXAMINERS, 1),
    "RELATIONS": (relate.RELATIONS, 1),
    "SCHEDULES": (relate.SCHEDULES, 1),
    "AGAIN": (relate.AGAIN, 1),
    "SIFTERS": (sweep.SIFTERS, 1),
    "RELATED": (calls.RELATED, 1),
}
"""The registries as they are, and which column of an entry is what the unit does."""

READERS = (calls, correlate, examine, opening, proving, relate, sweep, trace, withhold)
"""The modules that have a registry by its name."""


@dataclass(slots=True)
class Tally:
    """What one unit did on a dump."""

    calls: int = 0
    seconds: float = 0.0
    """CPU, of all calls."""
    keys: int = 0
    """Private keys and secrets that it yielded; of a sifter, anchors that it left out."""
    publics: int = 0
    """Public keys that it yielded."""


@dataclass(slots=True)
class Tallies:
    """What every unit did, as the entries of the registries report it."""

    of: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def wrapped(self, registry: str, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does what ``call`` does, and is measured."""
        tally = self.of[f"{registry}.{name}"]
        return {"AGAIN": _listed, "SIFTERS": _flagged}.get(registry, _yielded)(tally, call)


def _yielded(tally: Tally, call: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*arguments: Any, **named: Any) -> Iterator[Any]:  # noqa: ANN401 - see wrapped
        tally.calls += 1
        found: Iterator[Any] | None = None
        while True:
            began = time.process_time()
            try:
                if found is None:
                    found = iter(call(*arguments, **named))
                one = next(found)
            except StopIteration:
                return
            finally:
                tally.seconds += time.process_time() - began
            tally.publics += isinstance(one, PublicKey)
            tally.keys += not isinstance(one, PublicKey)
            yield one

    return measured


def _listed(tally: Tally, call: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*arguments: Any) -> Any:  # noqa: ANN401 - see wrapped
        began = time.process_time()
        found = call(*arguments)
        tally.seconds += time.process_time() - began
        tally.calls += 1
        tally.keys += len(found)
        return found

    return measured


def _flagged(tally: Tally, call: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*arguments: Any) -> Any:  # noqa: ANN401 - see wrapped
        began = time.process_time()
        keep = call(*arguments)
        tally.seconds += time.process_time() - began
        tally.calls += 1
        tally.keys += int(len(keep) - keep.sum())
        return keep

    return measured


def _off(registry: str) -> Any:  # noqa: ANN401 - a function, or names
    """Return what stands in an entry of a registry where its unit is off."""
    if registry == "RELATED":
        return ()
    if registry == "SIFTERS":
        return lambda memory, spaces, offsets: offsets == offsets  # noqa: ARG005, PLR0124 - all True
    return (lambda *_: []) if registry == "AGAIN" else (lambda *_: iter(()))


def install(change: Callable[[str, str, Any], Any]) -> None:
    """Put into every registry what ``change`` makes of (registry, name, part) of each entry."""
    for registry, (rows, column) in REGISTRIES.items():
        changed = tuple(
            (*row[:column], change(registry, row[0], row[column]), *row[column + 1 :])
            for row in rows
        )
        for module in READERS:
            if registry in vars(module):
                setattr(module, registry, changed)
    vars(examine)["_EXAMINE"] = dict(examine.EXAMINERS)


# --- a scan -------------------------------------------------------------------------------------


def scanned(path: Path) -> tuple[Record, tuple[tuple[Scan, DumpReport], ...]]:
    """Scan a dump in this process; return what is compared of it, and the scans with reports.

    Raises ScannerError where there is nothing to report on.
    """
    loaded = rules.load()
    began = time.process_time()
    scans = scanning.scan_all(ScanRequest(path=str(path), in_process=True, rules=loaded), Silence())
    known = published.load()
    reports = [
        policy.judge(scan, *correlate.set_aside(correlate.findings(scan, loaded), known))
        for scan in scans
    ]
    seconds = time.process_time() - began
    nothing = dict.fromkeys(
        ("rules_sha256", "known_sha256", "policy_sha256", "baseline_sha256", "fingerprint_key_id"),
        "",
    )
    document = documents.document(policy.combine(reports, **nothing, mode="default"))
    shapes = [oracle.shape(entry) for entry in document["dumps"]]
    record = {"exit": "", "seconds": round(seconds, 3), "dumps": shapes}
    return record, tuple(zip(scans, reports, strict=True))


def on(path: Path) -> Record:
    """Scan a dump with all units on, measured; the registries stay so."""
    tallies = Tallies()
    install(
        lambda registry, name, part: (
            part if registry == "RELATED" else tallies.wrapped(registry, name, part)
        )
    )
    record, scans = scanned(path)
    findings, places = _credits(scans)
    units: dict[str, Record] = {
        unit: {
            "calls": tally.calls,
            "seconds": round(tally.seconds, 4),
            "keys": tally.keys,
            "publics": tally.publics,
        }
        for unit, tally in tallies.of.items()
        if tally.calls
    }
    for registry in ("EXAMINERS", "RELATIONS", "SCHEDULES"):
        for name, *_ in REGISTRIES[registry][0]:
            if f"{registry}.{name}" in units:
                credit = {"findings": findings[name], "places": places[name]}
                units[f"{registry}.{name}"] |= credit
    for name, _ in calls.RELATED:
        if found := units.get(f"RELATIONS.{name}", {}).get("keys"):
            units[f"RELATED.{name}"] = {"calls": 0, "seconds": 0.0, "keys": found, "publics": 0}
    return record | {"bytes": path.stat().st_size, "units": units}


def off(path: Path, unit: str) -> Record:
    """Scan a dump with one unit off; the registries stay so."""
    registry, name = unit.split(".")
    install(lambda where, who, part: _off(registry) if (where, who) == (registry, name) else part)
    return scanned(path)[0]


def _credits(scans: Iterable[tuple[Scan, DumpReport]]) -> tuple[Counter[str], Counter[str]]:
    """Count the findings and places to which each detector led, by the candidates' own rules."""
    findings: Counter[str] = Counter()
    places: Counter[str] = Counter()
    detectors = {rule.id: rule.detector for rule in rules.load()}
    for scan, report in scans:
        named, placed = defaultdict(set), defaultdict(set)
        for number, finding in enumerate((*report.findings, *report.suppressed)):
            named[finding.fingerprint.value].add(number)
            for occurrence in finding.occurrences:
                placed[tuple((e.file_offset, e.size) for e in occurrence.extents)].add(number)
        led: set[tuple[str, int]] = set()
        told: set[tuple[str, tuple[tuple[int, int], ...]]] = set()
        for candidate in scan.candidates:
            name = detectors[candidate.rule]
            led |= {(name, number) for number in named.get(candidate.fingerprint.value, ())}
            for group in (candidate.places, *((place,) for place in candidate.places)):
                extents = tuple(
                    (extent.file_offset, extent.size)
                    for place in group
                    for extent in space.extents(scan.space_map, place)
                )
                if extents in placed:
                    told.add((name, extents))
                    led |= {(name, number) for number in placed[extents]}
        findings.update(name for name, _ in led)
        places.update(name for name, _ in told)
    return findings, places


def apart(call: Callable[..., Record], *arguments: object, timeout: float) -> Record:
    """Do a scan in a process of its own: a dump that ends or stops it ends nothing else."""
    context = multiprocessing.get_context("fork")  # the anchors are compiled already
    near, far = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(far, call, arguments))
    process.start()
    far.close()
    try:
        answer: Record = near.recv() if near.poll(timeout) else {"exit": "timeout", "dumps": []}
    except EOFError:
        answer = {"exit": "lost", "dumps": []}
    process.kill()
    process.join()
    return answer


def _answer(far: Connection, call: Callable[..., Record], arguments: tuple[object, ...]) -> None:
    try:
        record = call(*arguments)
    except ScannerError as error:
        record = {"exit": type(error).__name__, "dumps": []}
    far.send(record)


# --- what was lost ------------------------------------------------------------------------------


def lost(before: Record, after: Record) -> Record:
    """Return what a scan says and another one of the same dump does not."""
    findings, places, otherwise, size, verdicts = [], [], 0, 0, 0
    for index, old in enumerate(before["dumps"]):
        now = after["dumps"][index] if index < len(after["dumps"]) else None
        mine, theirs = _told(old), _told(now)
        verdicts += now is None or old["verdict"] != now["verdict"]
        for value, (said, here) in mine.items():
            if value not in theirs:
                findings.append(value)
                continue
            places += [[value, *place] for place in sorted(here - theirs[value][1])]
            otherwise += said != theirs[value][0]
        size += _bytes(mine, less=theirs)
    gained = sum(
        len(_told(now).keys() - _told(old).keys())
        for old, now in zip(before["dumps"], after["dumps"], strict=False)
    )
    return {
        "findings": sorted(findings),
        "places": places,
        "bytes": size,
        "otherwise": otherwise,
        "verdicts": verdicts,
        "new": gained,
    }


Told = Mapping[str, tuple[list[str], set[tuple[int, ...]]]]
"""By fingerprint: what is said of it, and the extents of its places, offset and size in turn."""


def _told(dump: Record | None) -> Told:
    found: dict[str, tuple[list[str], set[tuple[int, ...]]]] = {}
    for group in ("findings", "suppressed") if dump else ():
        assert dump is not None
        for value, rule, said, names, places in dump[group]:
            here = found.setdefault(value, ([], set()))
            here[0].append(json.dumps([group, rule, said, names]))
            here[1].update(tuple(place[1:]) for place in places)
    return found


def _bytes(told: Told, *, less: Told) -> int:
    """Count the bytes in the places of one report that are in none of another."""
    held, gone = _spans(told), _spans(less)
    return _size(held + gone) - _size(gone)


def _spans(told: Told) -> list[tuple[int, int]]:
    return [
        (place[at], place[at] + place[at + 1])
        for _, places in told.values()
        for place in places
        for at in range(0, len(place), 2)
    ]


def _size(spans: list[tuple[int, int]]) -> int:
    size = reached = 0
    for first, end in sorted(spans):
        size += max(end - max(first, reached), 0)
        reached = max(reached, end)
    return size


# --- the ledger ---------------------------------------------------------------------------------


def run(out: Path, dumps: list[Path], *, most: int, timeout: float) -> None:
    """Scan the dumps, smallest first, and keep a record for each and for each unit of it."""
    warm()
    for name, dump in sorted(oracle.dumps(dumps), key=lambda row: row[1].stat().st_size):
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        whole = _kept(folder / f"{ALL}.json", functools.partial(apart, on, dump, timeout=timeout))
        if whole["exit"] or whole["bytes"] > most:
            continue
        for unit, did in whole["units"].items():
            if did["keys"] or did["publics"]:
                _kept(
                    folder / f"{unit}.json",
                    functools.partial(_without, dump, unit, whole, timeout),
                )


def warm() -> None:
    """Import and compile what every scan needs, before processes are made."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"nothing")
        file.flush()
        scanned(Path(file.name))


def _without(dump: Path, unit: str, whole: Record, timeout: float) -> Record:
    after = apart(off, dump, unit, timeout=timeout)
    kept = {"exit": after["exit"], "seconds": after.get("seconds", timeout)}
    return kept if after["exit"] else kept | lost(whole, after)


def _kept(path: Path, made: Callable[[], Record]) -> Record:
    """Return the record of a scan, made where it is not there."""
    if path.exists():
        record: Record = json.loads(path.read_text("utf-8"))
        return record
    record = made()
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record), "utf-8")
    part.replace(path)
    print(f"{path.parent.name} {path.stem} {record['exit'] or 'done'}", flush=True)
    return record


def table(out: Path, cost: Path | None) -> Iterator[str]:
    """Yield the lines of the table, and what stands below it."""
    rows = {
        f"{registry}.{row[0]}": Counter[str]()
        for registry, (entries, _) in REGISTRIES.items()
        for row in entries
    }
    scans: Counter[str] = Counter()
    for path in sorted(out.glob(f"*/{ALL}.json")):
        whole = json.loads(path.read_text("utf-8"))
        scans["failed" if whole["exit"] else "scanned"] += 1
        for unit, did in whole.get("units", {}).items():
            row = rows[unit]
            row["dumps"] += bool(did["keys"] or did["publics"])
            row.update({key: did.get(key, 0) for key in ("keys", "publics", "seconds", "findings")})
            without = path.with_name(f"{unit}.json")
            if not (did["keys"] or did["publics"]):
                continue
            less = json.loads(without.read_text("utf-8")) if without.exists() else {"exit": "none"}
            if less["exit"]:
                row["unknown"] += 1
                continue
            row["tried"] += 1
            row["only"] += len(less["findings"])
            row["only places"] += len(less["places"])
            row.update({f"only {key}": less[key] for key in ("bytes", "otherwise", "verdicts")})
            row["saved"] += less["seconds"] - whole["seconds"]
    costs: Record = json.loads(cost.read_text("utf-8")) if cost else {"units": {}, "bytes": 0}
    head = ["unit", "dumps", "tried", "keys", "public", "findings", "only findings", "only places"]
    head += ["only bytes", "otherwise", "other verdicts", "CPU s"]
    head += [f"CPU s of {costs['bytes'] / 1e6:.0f} MB"] if cost else []
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for unit, row in rows.items():
        said = [unit, *(f"{row[key]}" for key in ("dumps", "tried", "keys", "publics", "findings"))]
        said += [f"{row[key]}" for key in ("only", "only places", "only bytes", "only otherwise")]
        said += [f"{row['only verdicts']}", f"{row['seconds']:.2f}"]
        said += [f"{costs['units'].get(unit, {'seconds': 0})['seconds']:.2f}"] if cost else []
        yield f"| {' | '.join(said)} |"
    yield ""
    yield f"{scans['scanned']} dumps were scanned, {scans['failed']} could not be."
    yield from _idle(rows)


def _idle(rows: Mapping[str, Counter[str]]) -> Iterator[str]:
    """Yield which units found nothing of their own, with the tests that name their modules."""
    for unit, row in rows.items():
        own = any(row[f"only{key}"] for key in ("", " places", " bytes", " otherwise", " verdicts"))
        if own or unit.startswith("SIFTERS"):
            continue
        if row["dumps"]:
            more = f"; {row['unknown']} dumps were not tried" if row["unknown"] else ""
            yield f"- {unit}: yields, but is alone nowhere in this corpus{more}"
        else:
            said = ", ".join(_tests(unit)) or "no test"
            yield f"- {unit}: no find of its own in this corpus; its module is imported by {said}"


def _tests(unit: str) -> list[str]:
    registry, name = unit.split(".")
    rows, column = REGISTRIES[registry]
    part = next(row[column] for row in rows if row[0] == name)
    if registry == "RELATED":
        part = next(row[1] for row in relate.RELATIONS if row[0] == name)
    module = module_of(part).rpartition(".")[2]
    word = re.compile(rf"^(?:from|import)\b.*\b{module}\b", re.MULTILINE)
    return [
        str(path.relative_to(TESTS))
        for path in sorted(TESTS.rglob("test_*.py"))
        if word.search(path.read_text("utf-8"))
    ]


def module_of(call: Callable[..., Any]) -> str:
    """Return the module of what a detector calls, behind what reads nested texts for it."""
    inner: Callable[..., Any] = getattr(call, "__wrapped__", call)
    return inner.__module__


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    runs = verbs.add_parser("run")
    runs.add_argument("out", type=Path)
    runs.add_argument("dumps", type=Path, nargs="+")
    runs.add_argument("--most", type=float, default=64e6, help="bytes of a dump that is repeated")
    runs.add_argument("--timeout", type=float, default=300.0, help="seconds of one scan")
    tables = verbs.add_parser("table")
    tables.add_argument("out", type=Path)
    tables.add_argument("--cost", type=Path, help="the record all.json of one large dump")
    options = parser.parse_args()
    if options.verb == "run":
        run(options.out, options.dumps, most=int(options.most), timeout=options.timeout)
    else:
        print("\n".join(table(options.out, options.cost)))


if __name__ == "__main__":
    main()
