"""The Fréchet distance against scipy's root of a matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagereward_core.metrics.frechet import Moments, frechet_distance


def moments(features, *cuts):
    made = Moments(features.shape[1])
    for part in np.split(features, cuts):
        made.add(part)
    return made


def by_scipy(one, two):
    linalg = pytest.importorskip("scipy.linalg")
    first, second = np.cov(one, rowvar=False), np.cov(two, rowvar=False)
    # Far from singular, where scipy's root is exact.
    root = linalg.sqrtm(np.atleast_2d(first) @ np.atleast_2d(second))
    apart = one.mean(axis=0) - two.mean(axis=0)
    return apart @ apart + np.trace(np.atleast_2d(first) + np.atleast_2d(second) - 2 * np.real(root))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.floats(0.1, 30.0), st.floats(-5.0, 5.0))
def test_distance_is_that_of_scipy_s_square_root(seed, width, scale, shift):
    rng = np.random.default_rng(seed)
    one = rng.normal(size=(4 * width + 8, width)) @ rng.normal(size=(width, width))
    two = rng.normal(size=(3 * width + 9, width)) * scale + shift
    found = frechet_distance(moments(one, 3), moments(two, 5, 6))
    assert found == pytest.approx(by_scipy(one, two), rel=1e-6, abs=1e-6 * scale**2)
    assert found == pytest.approx(frechet_distance(moments(two), moments(one)), rel=1e-9, abs=1e-8)


@given(st.integers(0, 10**6), st.integers(0, 12))
def test_moments_do_not_depend_on_batches(seed, cut):
    features = np.random.default_rng(seed).normal(size=(12, 3)) + 1000.0
    made = moments(features, cut)
    np.testing.assert_allclose(made.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(made.covariance, np.cov(features, rowvar=False), rtol=1e-9)


def test_fewer_features_than_numbers_in_one_give_a_distance_without_imaginary_parts():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(5, 40)), rng.normal(size=(6, 40)) + 1.0
    assert frechet_distance(moments(one), moments(one)) == pytest.approx(0.0, abs=1e-6)
    apart = one.mean(axis=0) - two.mean(axis=0)
    spread = np.cov(one, rowvar=False).trace() + np.cov(two, rowvar=False).trace()
    assert apart @ apart < frechet_distance(moments(one), moments(two)) <= apart @ apart + spread


def test_one_feature_has_no_spread():
    with pytest.raises(ValueError, match="two or more"):
        frechet_distance(moments(np.ones((1, 2))), moments(np.eye(2)))
