"""Cloud KMS: key rings, keys and their versions, and what they encrypt."""
