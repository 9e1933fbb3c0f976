"""Worker of `bucket`: `python -m emulator.seed STORAGE_URL`, image names on standard input."""

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from emulator.seed import bucket, records

UPLOADS = 4


def main() -> None:
    """Make and upload each image that is named, and name it when it is in place."""
    wanted = set(sys.stdin.read().split())
    mine = [record for record in records.load() if record.image in wanted]
    # The storage emulator waits for the disk at each upload: several are under way at once.
    with (
        httpx.Client(base_url=sys.argv[1], timeout=bucket.TIMEOUT_SECONDS) as client,
        ThreadPoolExecutor(UPLOADS) as uploads,
    ):
        for record, _ in zip(mine, uploads.map(partial(bucket.upload, client), mine), strict=True):
            # Fails when the starter has died: then the worker ends as well.
            sys.stdout.write(f"{record.image}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
