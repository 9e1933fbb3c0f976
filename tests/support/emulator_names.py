"""Names in the state of the emulator that unit tests run in process."""

PROJECT = "projects/local-project"
LOCATION = f"{PROJECT}/locations/us-central1"
AGENT = "service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com"
