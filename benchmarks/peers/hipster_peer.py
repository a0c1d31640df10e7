"""HiPSter makes a HiPS of a decoder's pictures. Runs in the environment ``spherinator``."""

import multiprocessing
import pathlib
import shutil
import signal
import tempfile

from hipster import HiPSGenerator, ImagePlotter, Inference
from serve import serve

KEPT = {}
#: Seconds after which its workers, forked beside the threads of ONNX Runtime, are taken to hang.
PATIENCE = 600


def prepare(decoder, input_name):
    """Open the decoder; HiPSter lets the name of its input be chosen, so nothing is renamed."""
    KEPT["decoder"] = Inference(decoder, input_name=input_name)
    return KEPT["decoder"].model.get_providers()


def work(order, hierarchy, workers):
    """All tiles of the orders 0 to `order`; how many were written, and how many bytes."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hipster"))
    image_maker = ImagePlotter()
    # HiPSter sets this in its workers, where it is lost, and needs it at the end.
    image_maker.figsize_in_pixel = KEPT["decoder"].model.get_outputs()[0].shape[-1]
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE)
    try:
        HiPSGenerator(
            decoder=KEPT["decoder"],
            image_maker=image_maker,
            hierarchy=hierarchy,
            hips_path="map",
            root_path=str(folder),
            number_of_workers=workers,
            max_order=order,
        ).execute()
        tiles = list(folder.glob("map/Norder*/Dir*/Npix*.jpg"))
        return {"tiles": len(tiles), "bytes": sum(tile.stat().st_size for tile in tiles)}
    finally:
        signal.alarm(0)
        shutil.rmtree(folder)


def give_up(*_):
    """End the workers, and say why."""
    for worker in multiprocessing.active_children():
        worker.kill()
    raise TimeoutError(f"not done after {PATIENCE} s")


serve({"prepare": prepare, "work": work})
