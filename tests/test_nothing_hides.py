"""Ways in which a secret is in a file and a scanner does not look: each has a test, or is said.

A row names one way, and where it is seen to: tests by file and name, or a sentence of README's
"What a pass does not mean". A row without either fails here, and so does one whose test is gone.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

TESTS: dict[str, tuple[str, ...]] = {
    "bytes of no stream, list or segment: padding, gaps, what follows the end": (
        "test_metamorphic.py::test_no_place_in_a_minidump_changes_anything",
        "test_metamorphic.py::test_no_place_in_a_core_changes_anything",
        "engine/test_scanning.py::test_a_key_outside_of_regions",
    ),
    "objects that an offset alone leads to: names, contexts, records": (
        "dump/test_behaviour.py::test_a_secret_anywhere_blocks",
        "test_metamorphic.py::test_no_place_in_a_minidump_changes_anything",
    ),
    "streams of unknown types": ("engine/test_scanning.py::test_a_key_outside_of_regions",),
    "unused entries of the directory that have a size": (
        "test_metamorphic.py::test_no_place_in_a_minidump_changes_anything",
    ),
    "several streams of one type": ("dump/test_minidump.py::test_every_list_is_read",),
    "both lists of memory in one minidump": (
        "dump/test_minidump.py::test_reads_both_lists_and_stacks",
        "engine/test_scanning.py::test_a_key_across_regions",
    ),
    "descriptors with a wrong address or size": (
        "dump/test_behaviour.py::test_a_secret_anywhere_blocks",
        "test_damage.py::test_a_key_outlives_a_bit_of_the_tables",
    ),
    "ranges that overlap with other bytes": (
        "dump/test_space.py::test_overlap_with_other_bytes",
        "dump/test_behaviour.py::test_a_secret_anywhere_blocks",
    ),
    "the same bytes at two addresses": (
        "dump/test_space.py::test_same_bytes_at_other_addresses",
        "test_correlate.py::test_the_same_bytes_at_two_addresses",
    ),
    "ranges past the end of the file": (
        "dump/test_behaviour.py::test_truncated_minidump",
        "dump/test_behaviour.py::test_truncated_core",
        "engine/test_scanning.py::test_a_truncated_dump_never_passes",
    ),
    "addresses and offsets that wrap": (
        "dump/test_elfcore.py::test_offset_that_wraps",
        "dump/test_elfcore.py::test_address_that_wraps",
        "dump/test_minidump.py::test_sizes_that_sum_past_everything",
    ),
    "more segments than a header can count, and counts that are lost": (
        "dump/test_elfcore.py::test_seventy_thousand_segments",
        "dump/test_elfcore.py::test_extended_count_that_is_lost",
    ),
    "notes of a core": (
        "engine/test_scanning.py::test_a_key_in_a_note",
        "test_metamorphic.py::test_no_place_in_a_core_changes_anything",
    ),
    "sections without a segment, and a core that begins later in the file": (
        "dump/test_behaviour.py::test_cores",
        "dump/test_behaviour.py::test_a_core_within_a_file",
    ),
    "memory that the writer left out, which is no zeros": (
        "dump/test_elfcore.py::test_gaps_are_not_zeros",
        "dump/test_elfcore.py::test_more_bytes_than_memory",
        "test_policy.py::test_what_was_not_captured_does_not_matter",
    ),
    "values across regions that adjoin in address and lie apart in the file": (
        "engine/test_scanning.py::test_a_key_across_regions",
        "dump/test_space.py::test_stitching",
    ),
    "values across the scanner's own windows and tasks": (
        "engine/test_scanning.py::test_a_key_across_windows",
    ),
    "pages of a process that lie apart in physical memory": (
        "test_machines.py::test_key_over_two_pages",
        "dump/test_qemu.py::test_key_over_two_pages",
        "dump/test_paging.py::test_no_tables",
    ),
    "earlier copies of a page, the state of devices, and what libvirt writes of a machine": (
        "dump/test_qemu.py::test_key_in_an_earlier_copy",
        "dump/test_qemu.py::test_key_in_the_state_of_a_device",
        "dump/test_qemu.py::test_secret_in_the_xml",
    ),
    "text in other encodings: UTF-16 of both orders, base64, hex, escapes": (
        "test_text_forms.py::test_text_is_one_finding",
        "engine/test_scanning.py::test_a_written_key_anywhere",
        "dump/test_heaps.py::test_strings_of_a_snapshot",
    ),
    "compressed pages": (
        "dump/test_makedumpfile.py::test_pages",
        "test_machines.py::test_key_over_two_pages",
    ),
    "memory as words of hex, their bytes turned around": (
        "dump/test_heaps.py::test_tombstone",
        "dump/test_heaps.py::test_hs_err",
    ),
    "numbers in registers, in other word orders, in digits": (
        "engine/test_scanning.py::test_numbers_anywhere",
        "detect/integers/test_readings.py::test_every_spelling_reads_back",
        "test_metamorphic.py::test_no_place_in_a_core_changes_anything",
    ),
    "keys that were cut off": (
        "detect/damaged/test_fragments.py::test_what_is_left_proves_a_key_or_has_its_shape",
    ),
    "values without the words around them": (
        "detect/damaged/test_headless.py::test_rsa_whatever_the_allocator_took",
        "engine/test_scanning.py::test_numbers_anywhere",
    ),
    "archives within archives, second archives, members that a directory hides": (
        "dump/test_contents.py::test_nested",
        "dump/test_contents.py::test_concatenated_tars",
        "dump/test_contents.py::test_member_that_the_directory_hides",
        "dump/test_contents.py::test_what_is_not_opened",
        "test_archives.py::test_an_archive_behind_other_bytes",
    ),
    "later frames, skippable frames, fields of headers, what trails a stream": (
        "dump/test_unpack.py::test_all_streams_and_what_trails",
        "dump/test_unpack.py::test_zstd_skippable_frames",
        "dump/test_unpack.py::test_gzip_name_and_comment",
        "dump/test_unpack.py::test_what_a_skippable_frame_holds",
        "dump/test_contents.py::test_a_dump_behind_a_stream",
        "dump/test_contents.py::test_what_nobody_knows_behind_a_stream",
    ),
    "gaps of archives, and bytes of a folder that no file names": (
        "dump/test_contents.py::test_a_gap_of_a_zip",
        "dump/test_contents.py::test_a_second_header_within_a_member",
        "dump/test_contents.py::test_comments_of_a_zip",
        "dump/test_cabinets.py::test_what_a_folder_holds_beside_its_files",
        "dump/test_cabinets.py::test_what_trails_a_cabinet",
    ),
    "compressed streams that are cut": ("dump/test_unpack.py::test_cut_stream",),
    "what is encrypted": (
        "dump/test_contents.py::test_encrypted_member",
        "test_archives.py::test_what_is_not_opened_does_not_pass",
        "dump/test_unopened.py::test_told",
    ),
    "windows of zstd that a decoder refuses": ("dump/test_unpack.py::test_zstd_large_window",),
    "files with holes": (
        "dump/test_storage.py::test_spill_gives_back",
        "dump/test_far.py::test_far_regions",
        "dump/test_contents.py::test_old_sparse_member",
    ),
    "names of files": ("test_gate.py::test_hostile_names_are_escaped",),
    "time or memory that ran out, and any exception": (
        "processes/test_workers.py::test_a_hang_is_a_death",
        "processes/test_workers.py::test_anything_else_is_a_class_name",
        "test_gate.py::test_a_sweep_that_dies",
    ),
    "files that are too large, and names without a known ending": (
        "dump/test_far.py::test_far_regions",
        "cli/test_inputs.py::test_directory",
    ),
    "links, devices, pipes, and a file that changes while it is read": (
        "dump/test_source.py::test_special_files",
        "cli/test_inputs.py::test_links",
        "test_gate.py::test_a_file_that_changes_while_it_is_read",
    ),
    "numbers of 32 bits, signed offsets, sizes that cannot be": (
        "dump/test_far.py::test_far_regions",
        "dump/test_source.py::test_refuses_what_is_outside",
        "dump/test_contents.py::test_a_size_that_cannot_be",
    ),
    "a parser that takes its process along": ("test_gate.py::test_a_worker_that_dies",),
    "known modules that are passed over": ("test_metamorphic.py::test_no_region_is_passed_over",),
    "memory that cannot be written, or that runs": (
        "test_metamorphic.py::test_no_region_is_passed_over",
    ),
    "other copies of what was redacted": (
        "test_redact.py::test_a_real_dump_passes_and_reads_the_same",
        "engine/test_scanning.py::test_copies_and_pieces_are_traced",
        "engine/test_scanning.py::test_numbers_as_text_are_traced_where_every_byte_is",
    ),
}
"""What is looked at, and the tests that show it."""

SAID: dict[str, str] = {
    "text in other encodings yet": "text in EBCDIC, and in UTF-32 what is no key file",
    "memory that the system had compressed": "memory that the system had compressed or swapped out",
    "keys in shares, masks and ropes": "keys that a program keeps masked, in shares or in pieces",
    "passwords that nothing announces": "A password that nothing announces is any other word.",
    "pieces of a key": "other pieces are not reported.",
    "kinds of archives that nobody knows": "one that nobody knows is bytes like any other.",
    "memory that a program encrypted": "Memory that a program encrypted looks like noise",
    "holes that a copy made": "Where a copy has holes that the dump had not, their bytes are gone.",
    "files beside the dump, and attributes": "other files of the same crash",
    "a secret in the name of a file": "Its name, its extended attributes",
    "memory that was not captured": "A dump holds what its writer captured.",
}
"""What is not looked at, and the words of README that say so."""


@cache
def defined(path: str) -> frozenset[str]:
    """Return the names of the tests of a file."""
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("way", TESTS)
def test_each_way_has_a_test(way: str) -> None:
    """The tests that a row names are there."""
    assert TESTS[way]
    for name in TESTS[way]:
        path, _, test = name.partition("::")
        assert test in defined(path), name


@pytest.mark.parametrize("way", SAID)
def test_each_limit_is_said(way: str) -> None:
    """The words that a row names stand where a reader looks for what a pass does not mean."""
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("## What a pass does not mean")[2].partition("\n## ")[0]
    assert SAID[way] in re.sub(r"\s+", " ", section)
