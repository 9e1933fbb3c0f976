"""The MLLP adapter with short deadlines of notifications: a kill delays a message by seconds."""

from workloads.mllp import outgoing
from workloads.mllp.__main__ import app

if __name__ == "__main__":
    outgoing._MARGIN_SECONDS = 1
    app()
