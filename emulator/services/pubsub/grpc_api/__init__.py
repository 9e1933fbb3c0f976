"""Pub/Sub over gRPC: the same state as REST, for the default clients of `PUBSUB_EMULATOR_HOST`."""
