"""The images that the stacks run in the lab: the public ones where they can be pulled, else
stand-ins under the same names.

`python -m lab.images` builds them and prints the table.
"""

from lab.images.building import build
from lab.images.catalogue import IMAGES

__all__ = ["IMAGES", "build"]
