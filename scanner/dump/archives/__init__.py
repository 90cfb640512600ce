"""Files that hold files: how each kind is told, and how its members are read.

The kinds stand in one explicit tuple. A kind that is known and not opened here is named too, so
that whoever meets it can say that it was not looked into.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scanner.dump.archives import (
    apport,
    avml,
    cabinets,
    criu,
    envelope,
    erlang,
    flattened,
    heapsnapshot,
    hextext,
    journal,
    makedumpfile,
    multipart,
    saved,
    tars,
    unreal,
    zips,
)
from scanner.dump.archives.archive import Archive, Member
from scanner.dump.archives.unopened import sniff_unopened

__all__ = ["HEAD", "KINDS", "Archive", "Kind", "Member", "sniff", "sniff_unopened"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of archive."""

    name: str
    sniff: Callable[[bytes], bool]
    """Given the first bytes of a file, at most HEAD."""
    read: Callable[[Archive], Iterator[Member]]
    dump: bool = False
    """It is a dump: what it holds is known, whether there is another dump within or not."""
    text: bool = False
    """It is a log that takes whatever lines there are for its own, and says no end."""


KINDS: tuple[Kind, ...] = (
    Kind(name="zip", sniff=zips.sniff, read=zips.read),
    Kind(name="apport", sniff=apport.sniff, read=apport.read),
    Kind(name="makedumpfile", sniff=makedumpfile.sniff, read=makedumpfile.read),
    Kind(name="flattened", sniff=flattened.sniff, read=flattened.read),
    Kind(name="avml", sniff=avml.sniff, read=avml.read),
    Kind(name="libvirt", sniff=saved.sniff, read=saved.read),
    *(
        Kind(name=name, sniff=sniff, read=read, dump=True, text=True)
        for name, sniff, read in (
            ("microdump", hextext.is_microdump, hextext.read_microdump),
            ("tombstone", hextext.is_tombstone, hextext.read_words),
            ("hs_err", hextext.is_hs_err, hextext.read_words),
        )
    ),
    Kind(name="erl_crash_dump", sniff=erlang.sniff, read=erlang.read, dump=True),
    Kind(name="heapsnapshot", sniff=heapsnapshot.sniff, read=heapsnapshot.read, dump=True),
    Kind(name="unreal", sniff=unreal.sniff, read=unreal.read),
    Kind(name="envelope", sniff=envelope.sniff, read=envelope.read),
    Kind(name="multipart", sniff=multipart.sniff, read=multipart.read),
    Kind(name="journal", sniff=journal.sniff, read=journal.read),
    Kind(name="cab", sniff=cabinets.sniff, read=cabinets.read),
    Kind(name="tar", sniff=tars.sniff, read=criu.joining(tars.read)),
)

HEAD = 512
"""Bytes at the start of a file that a kind is told by."""


def sniff(head: bytes) -> Kind | None:
    """Return the kind of archive that the first bytes speak of."""
    return next((kind for kind in KINDS if kind.sniff(head)), None)
