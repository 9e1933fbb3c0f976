"""Cloud KMS: key rings, keys and their versions, as resources; nothing is really encrypted."""
