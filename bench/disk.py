"""How long the disk takes to keep what was written: each commit that is alone waits for that."""

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.support.postgres import data_folder

PAGE = bytes(8 * 1024)
PAGES = 200


def measure_flush_ms(folder: Path | None = None) -> float:
    """Find the milliseconds of a flush (fdatasync) of 8 KiB, the median of two hundred.

    The pages of a file are overwritten one after the other, as databases overwrite a log that is
    used again. Without a ``folder`` it is done where a durable PostgreSQL of our own has its data.
    """
    with tempfile.TemporaryFile(dir=folder or data_folder(durable=True)) as file:
        number = file.fileno()
        os.write(number, PAGE * PAGES)
        os.fsync(number)
        return median(_flush(number, page) for page in range(PAGES))


def _flush(file: int, page: int) -> float:
    started = time.perf_counter()
    os.pwrite(file, PAGE, page * len(PAGE))
    os.fdatasync(file)
    return (time.perf_counter() - started) * 1000
