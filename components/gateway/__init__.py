"""A guarded way to the stores: the gateway on Cloud Run."""
