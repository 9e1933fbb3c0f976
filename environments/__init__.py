"""Virtual environments of parts whose packages can't be installed with the rest."""
