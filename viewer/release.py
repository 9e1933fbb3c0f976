"""The release of the OHIF viewer that is served: its publishers' own build, from npm."""

VERSION = "3.13.2"
SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
"""Of the archive, in base64, as npm publishes it (`npm view @ohif/app dist.integrity`)."""

ARCHIVE_PATH = f"@ohif/app/-/app-{VERSION}.tgz"
"""Below the address of a registry of npm packages."""

ARCHIVE = f"ohif-app-{VERSION}.tgz"
"""The file that `npm pack` writes."""
