"""Decoders to order: the real process without torch, whose model loads and decodes as told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from livevae.daemon import instrument, keeper

WORKS = "pass"
HANGS = "time.sleep(600)"
GPU_FULL = (
    "if device != 'cpu': raise RuntimeError("
    "'CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1 GiB.')"
)
KILLED = "os.kill(os.getpid(), 9)"
BROKEN = "raise UsageError('the model is broken; fetch it again')"

_MODULE = """
import os, sys, time, types
from livevae.errors import UsageError

class WarmModel:
    def __init__(self, folder, device, threads):
        self.device = device
        {load}

    def keep_warm(self):
        pass

class Service:
    decodes, times_ns = 0, ()

    def __init__(self, bank, model):
        self.device = model.device

    def work(self):
        Service.decodes += 1
        device = self.device
        if Service.decodes > 3:
            {decode}

service = types.ModuleType("livevae.decoder.service")
service.WarmModel, service.Service = WarmModel, Service
sys.modules[service.__name__] = service
from livevae.decoder import process
process.LOOK_AGAIN_S = 0.05
process.main()
"""


def act(
    monkeypatch: pytest.MonkeyPatch, folder: Path, load: str = WORKS, decode: str = WORKS
) -> None:
    """Have every decoder load and, after a few looks into the bank, decode as told.

    Its module is written into ``folder``. Times are cut short: pauses, and patience with a hang.
    """
    name = "understudy_decoder"
    (folder / f"{name}.py").write_text(_MODULE.format(load=load, decode=decode))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(instrument, "DECODER", name)
    monkeypatch.setattr(instrument, "BACKOFF_S", (0.0,))
    monkeypatch.setattr(instrument, "HANGS_AFTER_S", 1.0)
    monkeypatch.setattr(keeper, "LOOK_EVERY_S", 0.1)
