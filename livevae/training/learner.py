"""What changes while a model learns: its weights, their moving average, the optimizer."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from livevae.model.vae import Loss, Vae
from livevae.training import checkpoints
from livevae.training.checkpoints import Header
from livevae.training.config import TrainingConfig
from livevae.training.ranks import ALONE, Ranks
from livevae.training.schedule import Moment

AVERAGE_FROM_STEPS: Final = 10
"""The moving average forgets the first weights this fast."""


class Learner:
    """A model in training on a device; ``average`` is what is validated and kept.

    Processes that train together each have one, and a part of every batch: the gradients are
    the mean of theirs, so that they stay equal.
    """

    def __init__(self, vae: Vae, how: TrainingConfig, device: str, ranks: Ranks = ALONE) -> None:
        self._how = how
        self._ranks = ranks
        self._kind = torch.device(device).type
        self._bf16 = _computes_in_bfloat16(device)
        self.vae = vae.to(device).train()
        self.average = copy.deepcopy(self.vae).eval()
        self._replica = DistributedDataParallel(self.vae) if ranks.world > 1 else self.vae
        self._optimizer = torch.optim.AdamW(
            self.vae.parameters(),
            lr=how.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=how.weight_decay,
            fused=True,
        )

    def learn(self, batch: Tensor, noise: Tensor, now: Moment) -> Loss:
        """Make one step on a batch [n, steps, 9, 3] with posterior noise [n, z_dim]."""
        with torch.autocast(self._kind, torch.bfloat16, enabled=self._bf16):
            loss: Loss = self._replica(
                batch, now.beta, self._how.free_bits, noise, now.own_share, self._ranks.mean
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), self._how.clip_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = now.learning_rate
        self._optimizer.step()
        steps = now.step + 1
        self._follow(min(self._how.average_decay, steps / (steps + AVERAGE_FROM_STEPS)))
        return loss

    @torch.no_grad()
    def _follow(self, decay: float) -> None:
        """Move the averaged weights towards those being trained."""
        ours: list[Tensor] = list(self.average.parameters())
        theirs: list[Tensor] = list(self.vae.parameters())
        torch._foreach_lerp_(ours, theirs, 1 - decay)

    def save(self, folder: Path, header: Header) -> None:
        """Write the whole state as the checkpoint of a folder.

        Raises:
            WorkError: it cannot be written; the one before it is untouched.
        """
        checkpoints.save_checkpoint(folder, header, self._tensors())

    def resume(self, folder: Path) -> None:
        """Go back to the state that ``save`` wrote.

        Raises:
            UsageError: the checkpoint is broken or not of this training.
        """
        self._fill_moments()
        ours = self._tensors()
        for name, tensor in checkpoints.read_tensors(folder, ours).items():
            with torch.no_grad():
                ours[name].copy_(tensor)

    def _tensors(self) -> dict[str, Tensor]:
        self._fill_moments()
        named = {f"weights.{name}": t for name, t in self.vae.state_dict().items()}
        named |= {f"average.{name}": t for name, t in self.average.state_dict().items()}
        for name, parameter in self.vae.named_parameters():
            for moment, tensor in self._optimizer.state[parameter].items():
                named[f"{moment}.{name}"] = tensor
        return named

    def _fill_moments(self) -> None:
        """Give the optimizer the state it would make at its first step, so that it has a shape."""
        for parameter in self.vae.parameters():
            state = self._optimizer.state[parameter]
            if not state:
                state["step"] = torch.zeros((), device=parameter.device)
                state["exp_avg"] = torch.zeros_like(parameter)
                state["exp_avg_sq"] = torch.zeros_like(parameter)


def _computes_in_bfloat16(device: str) -> bool:
    """Say whether bfloat16 is the faster arithmetic there: on a CPU, if it has it in hardware."""
    return torch.device(device).type == "cuda" or torch.cpu._is_avx512_bf16_supported()
