"""Copies of keys are traced: all of them, and at a cost that grows with the dump alone."""

from pathlib import Path

from fixtures import encodings, keys, noise
from scanner import console, engine, rules
from scanner.engine import ScanRequest
from scanner.stages.trace import MOST_SHARED

HALF = 16
"""Bytes of a seed that are another's, too."""


def test_what_many_keys_share_is_told_of_a_few_alone(tmp_path: Path) -> None:
    """A dump of keys that share their bytes has no table of each key at each other's place."""
    count = 5 * MOST_SHARED
    common = noise.uniform(HALF, 77)
    seeds = [noise.uniform(HALF, 100 + number) + common for number in range(count)]
    made = [
        encodings.okp_pkcs8_der(
            keys.OkpKey(label=str(number), algorithm="ed25519", seed=seed, public=b""),
            with_public=False,
        )
        for number, seed in enumerate(seeds)
    ]
    data = bytearray(1 << 16)
    for number, der in enumerate(made):
        at = 1024 * (number + 1)
        data[at : at + len(der)] = der
    path = tmp_path / "dump"
    path.write_bytes(data)
    request = ScanRequest(path=str(path), jobs=1, in_process=True, rules=rules.load())
    with console.progress(str(path), quiet=True, color=False) as progress:
        scan = engine.scan(request, progress)
    assert len({one.fingerprint.value for one in scan.candidates}) == count
    assert len(scan.sightings) <= (MOST_SHARED + 1) * count
    covered = {
        offset
        for sighting in scan.sightings
        for offset in range(sighting.place.offset, sighting.place.offset + sighting.place.size)
    }
    for seed in seeds:
        at = data.index(seed)
        assert covered.issuperset(range(at, at + len(seed)))
