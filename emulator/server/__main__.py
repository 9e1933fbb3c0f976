"""The server process that `start` runs in the background: `python -m emulator.server`.

It has no command line for users and so imports no library for one: see `emulator/__main__.py`.
"""

import argparse
from pathlib import Path

from emulator.server import image_options, serve
from emulator.server.server_file import Ports


def main() -> None:
    """Serve until a signal stops the process; the caller has checked the folder and the ports."""
    parser = argparse.ArgumentParser(prog="python -m emulator.server")
    parser.add_argument("state", type=Path)
    for name in ("port", "bigquery-port", "storage-port"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--all-services-enabled", action="store_true")
    parser.add_argument("--enforce-iam", action="store_true")
    parser.add_argument("--image", action="append", default=[])
    options = parser.parse_args()
    serve.configure_logging()
    ports = Ports(options.port, options.bigquery_port, options.storage_port)
    serve.serve(
        options.state,
        ports,
        all_services_enabled=options.all_services_enabled,
        enforce_iam=options.enforce_iam,
        images=image_options.read_options(options.image),
    )


if __name__ == "__main__":
    main()
