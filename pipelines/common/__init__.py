"""Parts that the pipelines share: options, objects of Cloud Storage, shards, counters."""
