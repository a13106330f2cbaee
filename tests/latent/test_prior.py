"""A mixture fitted to posteriors, and points drawn from it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from livevae.errors import UsageError
from livevae.latent.prior import COMPONENTS, PRIOR_FILE, Prior
from livevae.pattern.touch import Touch

CENTRES = np.array([[4.0, 0, 0, 0], [-4.0, 0, 0, 0]], np.float32)


def posteriors(n: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return mu and sigma of two clusters, of which the first has three quarters of the points."""
    rng = np.random.default_rng(seed)
    mu = CENTRES[(rng.random(n) > 0.75).astype(int)] + 0.3 * rng.normal(size=(n, 4))
    return mu.astype(np.float32), np.full((n, 4), 0.4, np.float32)


def test_two_clusters_are_found_with_their_shares() -> None:
    """Centres and weights are those the points were drawn from."""
    prior = Prior.fit(*posteriors(), seed=3, components=2)
    order = np.argsort(-prior.weights)

    np.testing.assert_allclose(prior.means[order], CENTRES, atol=0.1)
    np.testing.assert_allclose(prior.weights[order], [0.75, 0.25], atol=0.03)


def test_the_spread_holds_that_of_the_posteriors_themselves() -> None:
    """0.3 between the means and 0.4 within each posterior are 0.5 together."""
    prior = Prior.fit(*posteriors(), seed=3, components=2)
    covariance = prior.factor @ prior.factor.T

    np.testing.assert_allclose(covariance, 0.25 * np.eye(4), atol=0.04)


def test_samples_are_distributed_as_what_was_fitted() -> None:
    """Mean and covariance of many samples are those of the points, far from a standard normal."""
    mu, sigma = posteriors()
    drawn = Prior.fit(mu, sigma, seed=3, components=8).sample(4000, 1.0, np.random.default_rng(1))
    wanted = np.cov(mu.T) + np.diag(np.square(sigma).mean(axis=0))

    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), mu.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(np.cov(drawn.T), wanted, atol=0.5)


def test_temperature_scales_the_spread_around_the_centres() -> None:
    """At 0 samples are the centres; at 2 they lie twice as far from them as at 1."""
    prior = Prior.fit(*posteriors(), seed=3, components=2)
    cold, mild, hot = (prior.sample(50, t, np.random.default_rng(1)) for t in (0.0, 1.0, 2.0))

    assert {tuple(point) for point in cold} == {tuple(mean) for mean in prior.means}
    np.testing.assert_allclose(hot - cold, 2 * (mild - cold), atol=1e-4)


def test_the_same_seed_fits_the_same_prior() -> None:
    """Chance comes from the seed alone."""
    first, second = (Prior.fit(*posteriors(200), seed=5) for _ in range(2))

    np.testing.assert_array_equal(first.means, second.means)


def test_few_points_have_few_components() -> None:
    """One component for every eight points, and one at least."""
    for n, k in ((1, 1), (15, 1), (80, 10), (2100, COMPONENTS)):
        mu = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
        prior = Prior.fit(mu, np.full_like(mu, 0.1), seed=0)
        assert prior.means.shape == (k, 2)
        assert np.isfinite(prior.sample(4, 1.0, np.random.default_rng(0))).all()
    with pytest.raises(ValueError, match="one posterior or more"):
        Prior.fit(mu[:0], mu[:0], seed=0)


def test_a_saved_prior_is_loaded_the_same_and_is_small(tmp_path: Path) -> None:
    """Under 300 KB for the 128 dimensions of the shipped models."""
    mu = np.random.default_rng(0).normal(size=(2050, 128)).astype(np.float32)
    touch = Touch(np.arange(6, dtype=np.float32).reshape(2, 3) / 10)
    prior = replace(Prior.fit(mu, np.ones_like(mu), seed=0), touch=touch)
    prior.save(tmp_path)
    back = Prior.load(tmp_path)

    assert back.z_dim == prior.z_dim == 128
    assert (tmp_path / PRIOR_FILE).stat().st_size < 300_000
    for name in ("weights", "means", "factor"):
        np.testing.assert_array_equal(getattr(back, name), getattr(prior, name))
    np.testing.assert_array_equal(back.touch.law, touch.law)


def test_a_missing_or_broken_prior_is_refused(tmp_path: Path) -> None:
    """Cut at any length, it is one sentence."""
    with pytest.raises(UsageError, match=PRIOR_FILE):
        Prior.load(tmp_path)
    Prior.standard(4).save(tmp_path)
    whole = (tmp_path / PRIOR_FILE).read_bytes()
    for length in (0, 7, 8, 100, len(whole) - 1):
        (tmp_path / PRIOR_FILE).write_bytes(whole[:length])
        with pytest.raises(UsageError, match=PRIOR_FILE):
            Prior.load(tmp_path)


def test_a_prior_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Shapes of different mixtures, weights that are no shares, no spread, NaN, another format."""
    prior = Prior.fit(*posteriors(), seed=3, components=2)
    wrong = [
        replace(prior, weights=prior.weights[:1]),
        replace(prior, weights=2 * prior.weights),
        replace(prior, weights=prior.weights * [2, -1]),
        replace(prior, means=prior.means[:, :3]),
        replace(prior, means=prior.means[:0], weights=prior.weights[:0]),
        replace(prior, factor=0 * prior.factor),
        replace(prior, factor=np.nan * prior.factor),
    ]
    for bad in wrong:
        bad.save(tmp_path)
        with pytest.raises(UsageError, match=PRIOR_FILE):
            Prior.load(tmp_path)
    tensors = {name: getattr(prior, name) for name in ("weights", "means", "factor")}
    tensors["touch"] = prior.touch.law
    save_file(tensors, tmp_path / PRIOR_FILE)
    with pytest.raises(UsageError, match="format"):
        Prior.load(tmp_path)
