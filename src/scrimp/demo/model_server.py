"""The child process that serves the local model: `model_server.py INSTALLED WEIGHTS NAME SLOTS CONTEXT`.

It prints its address on one line and lives until its standard input ends: whatever happens to the parent,
a kill included, closes that pipe. Ctrl-C is the parent's business alone.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any


def parameters(llama: Any, weights: str, name: str, slots: int, context: int) -> Any:
    """llama.cpp's server settings: one thread (two that contend for two cores are slower), a bounded prompt cache."""
    chosen = llama.CommonParams()
    chosen.model.path = weights
    chosen.model_alias = {name}
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.n_parallel = slots
    chosen.n_ctx = slots * context
    chosen.cpuparams.n_threads = 1
    chosen.cpuparams_batch.n_threads = 1
    chosen.cache_ram_mib = 128
    chosen.endpoint_slots = True
    chosen.use_jinja = True
    chosen.ui = False
    return chosen


def main() -> None:
    """Serve until standard input ends."""
    installed, weights, name, slots, context = sys.argv[1:6]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = os.dup(1)
    os.dup2(2, 1)  # the runtime logs to both streams; the address must stand alone on its own
    sys.path.insert(0, installed)
    llama = importlib.import_module("xllamacpp")
    server = llama.Server(parameters(llama, weights, name, int(slots), int(context)))
    os.write(told, f"{server.listening_address}\n".encode())
    os.close(told)
    while os.read(0, 4096):
        pass
    os._exit(0)  # generations under way end with the process; there is nothing to save


if __name__ == "__main__":
    main()
