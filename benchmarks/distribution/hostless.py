"""fink-filters' filters of hostless alerts, with the file that they need and fink-science's package on PyPI lacks.

They look for its numbers when they are imported. Ours only have to make them work as hard as theirs do.
"""

from __future__ import annotations

from typing import Any

from fink_science.ztf.hostless_detection import pipeline_utils

_NUMBERS = {
    "image_shape": [63, 63],
    "sigma_clipping_kwargs": {"sigma": 3, "maxiters": 10},
    "hostless_detection_with_clipping": {
        "crop_radius": 7,
        "max_number_of_pixels_clipped": 5,
        "min_number_of_pixels_clipped": 3,
    },
}


def _load(_: str) -> dict[str, Any]:
    return _NUMBERS


pipeline_utils.load_json = _load

from fink_filters.ztf.livestream.filter_inter_night_hostless import filter as inter_night  # noqa: E402
from fink_filters.ztf.livestream.filter_intra_night_hostless import filter as intra_night  # noqa: E402
from fink_filters.ztf.livestream.filter_new_hostless import filter as new  # noqa: E402

inter_night_hostless = inter_night.inter_night_hostless
intra_night_hostless = intra_night.intra_night_hostless
new_hostless = new.new_hostless
