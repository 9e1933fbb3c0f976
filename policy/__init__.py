"""A Pulumi policy pack (CrossGuard) for medical data on Google Cloud.

The rules are plain functions over a resource's properties; only `adapter` knows Pulumi's policy
SDK. That SDK and the emulator want different major versions of protobuf, so the pack runs in an
environment of its own, `policy/.venv`, while its rules can be tested in the project's.
"""
