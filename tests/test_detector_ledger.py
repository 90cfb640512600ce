"""The ledger of detectors: who found what, and what is lost without them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import ledger
from fixtures import aes, elfcore, encodings, noise
from fixtures import keys as recipes

KEY, TWICE = recipes.okp_key("ed25519"), recipes.ec_key("P-256")
DER, SECRET, RELATION = "EXAMINERS.keys", "SCHEDULES.schedules", "RELATIONS.ec"


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """Leave the registries as they were."""
    yield
    ledger.install(lambda _registry, _name, part: part)


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """Return a core with two keys in DER and a key schedule, far from each other."""
    blocks = encodings.pkcs8_der(KEY), encodings.pkcs8_der(TWICE), aes.expand(aes.key(128, 1))
    written = elfcore.write(
        [
            elfcore.Segment(
                address=0x5585_0000_0000 + at * 0x10_0000, data=noise.text(1024, at) + one
            )
            for at, one in enumerate(blocks)
        ]
    )
    path = tmp_path / "small.core"
    path.write_bytes(written.data)
    return path


def _names(record: ledger.Record) -> set[str]:
    return {finding[0] for dump in record["dumps"] for finding in dump["findings"]}


def test_a_key_is_its_detectors_own_and_lost_without_it(core: Path) -> None:
    """A number that a relation proves as well is lost as a place alone, and no finding."""
    whole = ledger.on(core)
    (schedule,) = _names(whole) - {KEY.spki_sha256, TWICE.spki_sha256}
    units = whole["units"]
    assert units[DER]["findings"] == 2
    assert units[DER]["seconds"] > 0
    assert units[SECRET]["findings"] == units[RELATION]["findings"] == 1
    for unit, names in ((DER, [KEY.spki_sha256]), (SECRET, [schedule]), (RELATION, [])):
        gone = ledger.lost(whole, ledger.off(core, unit))
        assert gone["findings"] == names
        assert bool(gone["places"]) == (unit == DER)
        assert bool(gone["bytes"]) == (unit != RELATION)


def test_to_measure_changes_nothing(core: Path) -> None:
    """Nor does to switch off what finds nothing there."""
    plain, _ = ledger.scanned(core)
    assert plain["dumps"] == ledger.on(core)["dumps"] == ledger.off(core, "EXAMINERS.pem")["dumps"]


def test_places_and_bytes_that_are_lost() -> None:
    """A byte that another finding's place still holds is not lost."""

    def dump(*findings: tuple[str, str, list[list[object]]]) -> ledger.Record:
        rows = [[value, rule, ["private-key"], [], places] for value, rule, places in findings]
        return {"dumps": [{"verdict": "blocked", "findings": rows, "suppressed": []}]}

    before = dump(("a", "r", [["der", 0, 10], ["der", 20, 10]]), ("b", "r", [["pem", 5, 20]]))
    after = dump(("a", "s", [["other", 0, 10]]), ("c", "r", [["pem", 20, 8]]))
    assert ledger.lost(before, after) == {
        "findings": ["b"],
        "places": [["a", 20, 10]],
        "bytes": 12,
        "otherwise": 1,
        "verdicts": 0,
        "new": 1,
    }
    assert ledger.lost(before, {"dumps": []})["verdicts"] == 1


def test_what_is_there_is_not_measured_again(
    core: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a run cut short the table says how much was tried."""
    out = tmp_path / "out"
    folder = out / "small.core"
    folder.mkdir(parents=True)
    (folder / "all.json").write_text(json.dumps(ledger.on(core)))
    ledger.run(out, [core], most=0, timeout=60)
    assert not capsys.readouterr().out
    row = next(line for line in ledger.table(out, None) if line.startswith(f"| {DER} "))
    assert row.split("|")[2:4] == [" 1 ", " 0 "]


@pytest.mark.parametrize("registry", ledger.REGISTRIES)
def test_every_unit_can_be_off(registry: str) -> None:
    """An entry keeps its name, and all readers of a registry see the same one."""
    rows, column = ledger.REGISTRIES[registry]
    ledger.install(lambda where, _, part: None if where == registry else part)
    read = [vars(module)[registry] for module in ledger.READERS if registry in vars(module)]
    assert read
    for changed in read:
        assert [row[0] for row in changed] == [row[0] for row in rows]
        assert all(row[column] is None for row in changed)
    assert all(
        ledger.module_of(row[column]).startswith("scanner.")
        for row in rows
        if callable(row[column])
    )
