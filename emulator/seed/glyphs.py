"""A 5 x 7 bitmap alphabet for the words that are burned into the images.

Own bitmaps, since a font rasteriser's pixels change with its version.
"""

import numpy as np
from numpy.typing import NDArray

_ROWS = {
    "A": (14, 17, 17, 31, 17, 17, 17),
    "C": (14, 17, 16, 16, 16, 17, 14),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "H": (17, 17, 17, 31, 17, 17, 17),
    "I": (14, 4, 4, 4, 4, 4, 14),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "N": (17, 25, 21, 21, 19, 17, 17),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "S": (15, 16, 16, 14, 1, 1, 30),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "Y": (17, 17, 10, 4, 4, 4, 4),
}
HEIGHT = 7
PITCH = 6
"""The columns from one letter to the next."""


def stencil(text: str, scale: int) -> NDArray[np.bool_]:
    """Draw text.

    Args:
        text: letters of the alphabet above.
        scale: pixels a dot.

    Returns:
        Mask of shape (7 * scale, (6 * len(text) - 1) * scale).

    Raises:
        KeyError: a letter has no bitmap.
    """
    dots = np.zeros((HEIGHT, PITCH * len(text) - 1), dtype=np.bool_)
    for index, letter in enumerate(text):
        for row, bits in enumerate(_ROWS[letter]):
            for column in range(5):
                dots[row, index * PITCH + column] = bool(bits >> (4 - column) & 1)
    return dots.repeat(scale, axis=0).repeat(scale, axis=1)
