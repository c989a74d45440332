"""How sure a mean is: from the days that were lived through, without a law assumed. Pure."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

RESAMPLES = 1_000
LEVEL = 0.95


class Mean(NamedTuple):
    """A mean, and the limits between which it lies with 95 % confidence; None of a single day."""

    mean: float
    low: float | None
    high: float | None


def mean_of(values: Sequence[float]) -> Mean:
    """The mean and its percentile bootstrap interval.

    Resampling suits what is far from normal, as losses with a heavy tail are, and never leaves the
    range of the values. The resamples are always the same.
    """
    many = len(values)
    mean = sum(values) / many
    if many == 1:
        return Mean(mean, None, None)
    if min(values) == max(values):
        return Mean(mean, mean, mean)
    chance = Random(many)
    means = sorted(sum(chance.choices(values, k=many)) / many for _ in range(RESAMPLES))
    outside = round(RESAMPLES * (1 - LEVEL) / 2)
    return Mean(mean, means[outside], means[-1 - outside])
