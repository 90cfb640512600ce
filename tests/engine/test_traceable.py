"""How many keys are traced at once: as many as can be borne, and the rest is said."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures import encodings, keys
from scanner import rules
from scanner.engine import scanning, traceable
from scanner.engine.scanning import ScanRequest
from scanner.progress import Silence


def test_what_is_too_much_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are traced in turns; of three two, where that is too much: the scan is not whole."""
    path = tmp_path / "dump"
    made = [keys.okp_key("ed25519", label=str(number)) for number in range(3)]
    path.write_bytes(
        b"".join(encodings.okp_pkcs8_der(key, with_public=False) + bytes(900) for key in made)
    )
    request = ScanRequest(path=str(path), jobs=1, in_process=True, raw=True, rules=rules.load())
    for asked in (request, replace(request, thorough=True)):
        monkeypatch.setattr(traceable, "AT_ONCE", 1 << 20)
        whole = scanning.scan(asked, Silence())
        some = traceable.traced(whole.candidates)
        assert ([*whole.coverage.faults], traceable.turns(some)) == ([], [some])
        monkeypatch.setattr(traceable, "AT_ONCE", 600)
        assert traceable.turns(some) == [some[:2], some[2:]]
        assert scanning.scan(asked, Silence()).sightings == whole.sightings
        assert len({one.fingerprint for one in whole.sightings}) == 3
    monkeypatch.setattr(traceable, "MOST_PIECES", 600)
    scan = scanning.scan(request, Silence())
    assert len({one.fingerprint for one in scan.candidates}) == 3
    assert [f.code for f in scan.coverage.faults] == ["limit-traced"]
    assert len({one.fingerprint for one in scan.sightings}) == 2
