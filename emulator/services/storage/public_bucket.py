"""The public bucket of the chest X-rays, which anyone may read."""

BUCKET = "gcs-public-data--healthcare-nih-chest-xray"
