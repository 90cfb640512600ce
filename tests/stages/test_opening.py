"""A rule that nothing looks for is refused before anything of the dump counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from scanner import rules
from scanner.engine import scanning
from scanner.errors import RuleError
from scanner.progress import Silence


@pytest.mark.parametrize("in_process", [True, False])
def test_a_detector_that_does_not_exist(tmp_path: Path, *, in_process: bool) -> None:
    """The scan ends with three parts: a verdict would leave out what the rule is for."""
    path = tmp_path / "core"
    path.write_bytes(bytes(4096))
    bad = replace(rules.load()[0], detector="no-such")
    request = scanning.ScanRequest(path=str(path), rules=(bad,), raw=True, in_process=in_process)
    with pytest.raises(RuleError) as caught:
        scanning.scan(request, Silence())
    assert bad.id in caught.value.message
    assert caught.value.reason
    assert "pem" in caught.value.hint
