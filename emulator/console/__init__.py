"""A page that shows what the local Google Cloud holds, by the APIs that every client uses."""
