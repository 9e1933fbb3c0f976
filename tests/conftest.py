"""For all tests."""

# Before anything imports `engine.protocol`, which would register the SDK's packages bare.
import pulumi  # noqa: F401
