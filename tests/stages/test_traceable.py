"""How many keys are traced at once: as many as can be borne, and the rest is said."""

from pathlib import Path

import pytest

from fixtures import encodings, keys
from scanner import rules
from scanner.engine import scanning
from scanner.engine.scanning import ScanRequest
from scanner.progress import Silence
from scanner.stages import traceable


def test_what_is_too_much_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three keys two are traced where there is room for two; the scan is not whole then."""
    path = tmp_path / "dump"
    made = [keys.okp_key("ed25519", label=str(number)) for number in range(3)]
    path.write_bytes(
        b"".join(encodings.okp_pkcs8_der(key, with_public=False) + bytes(900) for key in made)
    )
    request = ScanRequest(path=str(path), jobs=1, in_process=True, raw=True, rules=rules.load())
    assert [f.code for f in scanning.scan(request, Silence()).coverage.faults] == []
    monkeypatch.setattr(traceable, "MOST_PIECES", 600)
    scan = scanning.scan(request, Silence())
    assert len({one.fingerprint for one in scan.candidates}) == 3
    assert [f.code for f in scan.coverage.faults] == ["limit-traced"]
    assert len({one.fingerprint for one in scan.sightings}) == 2
