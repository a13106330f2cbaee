"""What a model is made of: the one description from which every variant is built."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from livevae.pattern.pattern import MAX_BARS, STEPS_PER_BAR


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of a model; ``config.json`` of a model folder holds exactly this.

    ``encoder`` is ``attention`` (over the steps of each bar, then an LSTM over the bars) or
    ``lstm`` (both ways over all steps). ``decoder`` is ``hierarchical`` (a conductor over one
    decoder per bar) or ``flat`` (one decoder over all steps); ``bar_decoder`` is ``parallel`` (all
    its steps at once, attention over steps) or ``lstm`` (step after step).

    ``width`` is that of a step: of attention, and of each direction of an LSTM encoder.
    ``bar_width`` is that of a bar: of the conductor and of an LSTM bar decoder. Between the two,
    a bar's embedding is ``embedding_width`` wide, else as wide as a bar.
    ``velocity_weight`` and ``offset_weight`` say how many nats an error of 1 in a hit's velocity
    or offset counts, beside the onsets: how closely the likelihood looks at them.
    """

    bars: Annotated[int, msgspec.Meta(ge=1, le=MAX_BARS)] = 4
    z_dim: Annotated[int, msgspec.Meta(ge=8, le=1024)] = 128
    encoder: Literal["attention", "lstm"] = "attention"
    decoder: Literal["hierarchical", "flat"] = "hierarchical"
    bar_decoder: Literal["parallel", "lstm"] = "parallel"
    width: Annotated[int, msgspec.Meta(ge=8, le=2048, multiple_of=8)] = 128
    heads: Literal[1, 2, 4, 8] = 4
    encoder_layers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    conductor_layers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    decoder_layers: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    bar_width: Annotated[int, msgspec.Meta(ge=8, le=2048, multiple_of=2)] = 384
    embedding_width: Annotated[int, msgspec.Meta(ge=8, le=2048)] | None = None
    dropout: Annotated[float, msgspec.Meta(ge=0, le=0.9)] = 0.1
    velocity_weight: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 6.0
    offset_weight: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 6.0

    @property
    def steps(self) -> int:
        """Steps of a pattern."""
        return self.bars * STEPS_PER_BAR

    @property
    def embedding(self) -> int:
        """Width of what a bar decoder is given."""
        return self.embedding_width or self.bar_width

    @property
    def segments(self) -> int:
        """How many decoders run side by side: one per bar, or one in all when flat."""
        return self.bars if self.decoder == "hierarchical" else 1
