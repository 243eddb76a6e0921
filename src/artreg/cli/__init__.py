"""The command line: parses, calls, prints."""

import gc

gc.set_threshold(50_000)  # looking for garbage after every 700 objects takes a tenth of a short command's time
