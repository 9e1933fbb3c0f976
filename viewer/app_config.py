"""The viewer's configuration: a data source for each DICOM store.

Source of the settings: https://docs.ohif.org/configuration/configurationFiles and
https://docs.ohif.org/configuration/dataSources/dicom-web.
"""

import json
from collections.abc import Sequence
from typing import Any

from viewer.address import data_source

_TYPE = "@ohif/extension-default.dataSourcesModule.dicomweb"


def script(stores: Sequence[str]) -> str:
    """Return the text of `app-config.js`.

    Args:
        stores: full names of the DICOM stores; the first one is the default
    """
    sources = [_source(store) for store in stores]
    config = {
        "routerBasename": None,
        "extensions": [],
        "modes": [],
        "showStudyList": True,
        "showErrorDetails": "always",
        "maxNumberOfWebWorkers": 3,
        "investigationalUseDialog": {"option": "always"},
        "defaultDataSourceName": sources[0]["sourceName"] if sources else "",
        "dataSources": sources,
    }
    # A script of its own, not part of a page: JSON is JavaScript there.
    return f"window.config = {json.dumps(config, indent=2)};\n"


def _source(store: str) -> dict[str, Any]:
    _, project, _, _, _, dataset, _, name = store.split("/")
    root = f"/v1/{store}/dicomWeb"
    return {
        "namespace": _TYPE,
        "sourceName": data_source(store),
        "configuration": {
            "friendlyName": f"{name} of {dataset} in {project}",
            "name": data_source(store),
            "qidoRoot": root,
            "wadoRoot": root,
            "wadoUriRoot": root,
            "imageRendering": "wadors",
            "thumbnailRendering": "rendered",
            "thumbnailRequestStrategy": "fetch",  # otherwise it asks for JSON in Accept
            "enableStudyLazyLoad": True,
            "qidoSupportsIncludeField": True,
            "supportsFuzzyMatching": True,
            "supportsWildcard": False,
            "dicomUploadEnabled": True,
            "omitQuotationForMultipartRequest": True,
            "bulkDataURI": {"enabled": True},
        },
    }
