"""A scheduler with one worker, as operators run one: by TLS, in processes that know no test.

    python -m tests.scheduler FOLDER

Writes its certificate and its address into the folder, and stays until it is killed.
"""

import sys
import time
from pathlib import Path

import distributed


def main(folder: Path) -> None:
    """Run the cluster."""
    made = distributed.Security.temporary()
    (folder / "cert.pem").write_text(made.tls_ca_file, "ascii")
    (folder / "key.pem").write_text(made.tls_client_key, "ascii")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        protocol="tls://",
        host="127.0.0.1",
        security=made,
        dashboard_address=None,
    ) as cluster:
        (folder / "part").write_text(cluster.scheduler_address, "ascii")
        (folder / "part").rename(folder / "address")
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
