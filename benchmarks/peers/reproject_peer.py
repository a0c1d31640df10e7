"""reproject makes a HiPS of one image. Runs in the environment ``peers``."""

import pathlib
import shutil
import time

from reproject import reproject_interp
from reproject.hips import reproject_to_hips
from serve import serve


def work(image, folder, order, width):
    """Tiles of one order that the image touches, bilinear; seconds are of making the tiles."""
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    reproject_to_hips(
        image,
        coord_system_out="equatorial",
        reproject_function=reproject_interp,
        output_directory=folder,
        level=order,
        tile_size=width,
        threads=False,
    )
    seconds = time.perf_counter() - start
    deepest = pathlib.Path(folder).glob(f"Norder{order}/Dir*/Npix*.fits")
    every = pathlib.Path(folder).glob("Norder*/Dir*/Npix*.fits")
    return {"seconds": seconds, "tiles": len(list(deepest)), "all": len(list(every))}


serve({"work": work})
