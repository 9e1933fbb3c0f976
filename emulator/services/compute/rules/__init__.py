"""Rules by type: additions to the bodies of requests, and reasons to refuse them."""
