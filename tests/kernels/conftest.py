"""Which library the tests of this room try: the installation's, or one that ``trapped`` built."""

import os
from pathlib import Path

from scanner.kernels import library

if "KEYSIFT_TEST_LIBRARY" in os.environ:
    library.PLACE = Path(os.environ["KEYSIFT_TEST_LIBRARY"])
