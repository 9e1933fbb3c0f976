"""The Pulumi engine: found or obtained, a language host, an offline stand-in of the gcp plugin."""
