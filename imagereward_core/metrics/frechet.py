"""Fréchet distance between two clouds of features as normal distributions (arXiv 1706.08500), the last step of FID."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Moments:
    """Mean and covariance of features that come batch by batch.

    >>> moments = Moments(1)
    >>> moments.add(np.array([[1.0], [2.0]]))
    >>> moments.add(np.array([[6.0]]))
    >>> moments.mean.tolist(), moments.covariance.tolist()
    ([3.0], [[7.0]])

    Args:
        width: Numbers in one feature.
    """

    def __init__(self, width: int) -> None:
        self.count = 0
        self.mean: FloatArray = np.zeros(width)
        self._scatter: FloatArray = np.zeros((width, width))
        self._root: FloatArray | None = None

    def add(self, features: NDArray[np.float64] | NDArray[np.float32]) -> None:
        """Takes [N, width] more; the means of both parts are joined so that nothing large is subtracted from anything large."""
        if not len(features):
            return
        values = np.asarray(features, dtype=np.float64)
        mean = values.mean(axis=0)
        centred = values - mean
        total = self.count + len(values)
        apart = mean - self.mean
        self._scatter += centred.T @ centred + np.outer(apart, apart) * (self.count * len(values) / total)
        self.mean = self.mean + apart * (len(values) / total)
        self.count = total
        self._root = None

    @property
    def covariance(self) -> FloatArray:
        """float64 [width, width], over N - 1.

        Raises:
            ValueError: There are fewer than two features.
        """
        if self.count < 2:
            raise ValueError(f"found {self.count} features; expected two or more to see how they spread")
        return self._scatter / (self.count - 1)

    @property
    def root(self) -> FloatArray:
        """The symmetric root of the covariance, kept: one reference is compared with many.

        Raises:
            ValueError: As for :attr:`covariance`.
        """
        if self._root is None:
            values, vectors = np.linalg.eigh(self.covariance)
            self._root = np.asarray((vectors * np.sqrt(values.clip(min=0.0))) @ vectors.T)
        return self._root


def frechet_distance(one: Moments, two: Moments) -> float:
    """Squared distance of the means plus tr(A + B - 2 (A B)^(1/2)), never below 0.

    The trace of the root is that of (A^(1/2) B A^(1/2))^(1/2), which is symmetric: its eigenvalues are exact also where there are fewer
    features than numbers in one, so that no covariance can be inverted.

    Raises:
        ValueError: One of them holds fewer than two features.
    """
    first, second = one.covariance, two.covariance
    shared = np.linalg.eigvalsh(one.root @ second @ one.root).clip(min=0.0)
    apart = one.mean - two.mean
    distance = float(apart @ apart) + float(np.trace(first) + np.trace(second))
    return max(0.0, distance - 2.0 * math.fsum(np.sqrt(shared).tolist()))
