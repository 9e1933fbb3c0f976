"""BigQuery as the `bq` command wants it, in front of bqemulator."""
