"""Model folders on disk: weights and config, written atomically and opened as hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from livevae.errors import UsageError
from livevae.files import write_atomically
from livevae.model.folder import CONFIG_FILE, WEIGHTS_FILE, load_config
from livevae.model.vae import Vae

MAX_WEIGHTS_BYTES: Final = 512 * 1024 * 1024


def save_model(vae: Vae, folder: Path) -> None:
    """Write weights (float16) and config into ``folder``, each replaced in one step.

    Raises:
        WorkError: the folder cannot be written; the files that were there are untouched.
    """
    weights = {name: t.detach().half().contiguous().cpu() for name, t in vae.state_dict().items()}
    config = msgspec.json.format(msgspec.json.encode(vae.config), indent=2) + b"\n"
    write_atomically(folder / CONFIG_FILE, config)
    write_atomically(folder / WEIGHTS_FILE, save(weights))


def load_model(folder: Path, device: str = "cpu") -> Vae:
    """Build the model that ``folder`` holds, float32, in eval mode, on ``device``.

    Raises:
        UsageError: a file is missing, broken, too large or does not fit the config.
    """
    config = load_config(folder)
    with torch.device("meta"):
        vae = Vae(config)
    vae.load_state_dict(_load_weights(folder / WEIGHTS_FILE, vae), assign=True)
    return vae.eval().to(device)


def _load_weights(path: Path, vae: Vae) -> dict[str, torch.Tensor]:
    expected = vae.state_dict()
    try:
        if path.stat().st_size > MAX_WEIGHTS_BYTES:
            raise UsageError(f"{path} is larger than a model can be; fetch the model again")
        with safe_open(path, "pt") as file:
            if set(file.keys()) != set(expected):
                raise UsageError(f"{path} does not fit its {CONFIG_FILE}: other tensors")
            for name, tensor in expected.items():
                shape = tuple(file.get_slice(name).get_shape())
                if shape != tuple(tensor.shape):
                    raise UsageError(
                        f"{path} does not fit its {CONFIG_FILE}: {name} has shape {shape}, "
                        f"not {tuple(tensor.shape)}"
                    )
            weights = {name: file.get_tensor(name).float() for name in expected}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError) as error:
        raise UsageError(f"{path} is broken ({error}); fetch the model again") from None
    if not all(torch.isfinite(tensor).all() for tensor in weights.values()):
        raise UsageError(f"{path} holds numbers that are not finite; fetch the model again")
    return weights
