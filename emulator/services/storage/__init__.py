"""Cloud Storage's buckets and their policies, in front of fake-gcs-server, which keeps objects."""
