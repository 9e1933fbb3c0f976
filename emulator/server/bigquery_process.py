"""bqemulator's process: `python -m emulator.server.bigquery_process DATA_DIR PORT GRPC_PORT`.

It is ready earlier than the command `bqemulator start`, and recovers the data first.
"""

import sys
from pathlib import Path

from emulator.server.optional_imports import without_collecting
from emulator.services.bigquery import crash_recovery

UNUSED = (
    "rich",  # by structlog, for tracebacks in a terminal
    "websockets",  # by uvicorn
)


def main() -> None:
    """Serve until a signal stops the process."""
    data_dir, port, grpc_port = sys.argv[1:]
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]  # as if not installed
    with without_collecting():
        from emulator.services.bigquery import nested_names, object_uris, spatial_extension

        nested_names.quote_in_schemas()
        from bqemulator import cli

        object_uris.read_only()
    crash_recovery.recover(Path(data_dir))
    spatial_extension.load_in_all_connections()
    address = ("--rest-port", port, "--grpc-port", grpc_port)
    cli.main(["start", "--persistent", "--data-dir", data_dir, *address])


if __name__ == "__main__":
    main()
