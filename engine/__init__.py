"""The Pulumi engine: found or obtained, with a language host and an offline stand-in of the gcp plugin."""
