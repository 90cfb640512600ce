"""Stage two, last: what the keys that were found are called by those who bear witness to them.

A dump may hold a million certificates, of which those few matter whose private key is there. They
are read again, at the hits that led to them. This module withholds nothing: see ``withhold``.
"""

import contextlib
from collections.abc import Collection

from scanner.detect.algebra.publics import PublicKey
from scanner.detect.asn1 import x509
from scanner.detect.register import Columns
from scanner.errors import Unmapped
from scanner.model import Witness
from scanner.stages.examine import examine_hit
from scanner.stages.session import Session


def witnesses(session: Session, names: Collection[str], hits: Columns) -> tuple[Witness, ...]:
    """Return who bears witness to keys: the operator, and what is read at the hits, each once."""
    found = dict.fromkeys(key.witness for key in session.target.known)
    for rule, space, offset in hits.tolist():
        with contextlib.suppress(Unmapped):  # told by who was led there first
            for one in examine_hit(session, (rule, space, offset)):
                if isinstance(one, PublicKey) and one.witness.fingerprint.value in names:
                    found[x509.labelled(one).witness] = None
    return tuple(one for one in found if one.fingerprint.value in names)
