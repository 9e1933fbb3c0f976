"""The command line, `python -m workloads.inference`: options are those of functions-framework.

The settings are environment variables. All of them are checked before a request is served.
"""

import os
import runpy
import sys
from pathlib import Path

from workloads.common import logs
from workloads.common.dicomweb import DicomWeb
from workloads.common.google import CredentialsError
from workloads.common.logs import Log
from workloads.inference import settings
from workloads.inference.access import wait_for_access
from workloads.inference.loading import load
from workloads.inference.models import ModelError
from workloads.inference.settings import SettingsError

LOG = Log("inference")
_FAILED, _USAGE = 1, 2


def main() -> None:
    """Check the settings, and serve the function."""
    logs.configure()
    try:
        wanted = settings.read(os.environ)
        load(wanted.model)
        wait_for_access(DicomWeb(wanted.dicom_store, 1))
    except (SettingsError, ModelError) as error:
        LOG.error(str(error))
        sys.exit(_USAGE)
    except CredentialsError as error:
        LOG.error(str(error))
        sys.exit(_FAILED)
    LOG.info("serving", dicom_store=wanted.dicom_store, model=wanted.model)
    source = str(Path(__file__).with_name("function.py"))
    sys.argv[1:1] = ["--source", source, "--target", "infer"]
    runpy.run_module("functions_framework", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
