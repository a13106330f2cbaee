"""The plain decoder that the benchmark compares with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from livevae.bench.eager import EagerDecoder
from livevae.model.checkpoint import load_model, save_model
from tests.model.test_vae import small


@pytest.mark.parametrize("bar_decoder", ["parallel", "lstm"])
@pytest.mark.parametrize("decoder", ["hierarchical", "flat"])
def test_bar_after_bar_is_what_all_bars_at_once_are(
    tmp_path: Path, decoder: str, bar_decoder: str
) -> None:
    """A reference that played something else would be no reference."""
    save_model(small(decoder, bar_decoder), tmp_path)
    zs = np.random.default_rng(0).standard_normal((5, 8), np.float32)
    with torch.no_grad():
        expected = load_model(tmp_path).decode(torch.from_numpy(zs)).numpy()

    np.testing.assert_allclose(EagerDecoder(tmp_path, "cpu").decode(zs), expected, atol=1e-5)
