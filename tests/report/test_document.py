"""JSON of any size is written without keeping more than the text."""

import tracemalloc

from scanner.report.document import written


def test_pieces_are_not_kept() -> None:
    """A table of many small values takes little more room than its text."""
    table = {"rows": [{"name": f"row {number}", "size": number} for number in range(20_000)]}
    written({"rows": []})
    tracemalloc.start()
    try:
        text = written(table)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text.startswith('{\n "rows": [\n  {\n   "name": "row 0",\n')
    assert text.endswith("}\n")
    assert peak < 8 * len(text)
