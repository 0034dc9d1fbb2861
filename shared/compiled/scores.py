"""Scores of what is no tree. NumPy's operations, in the order of scikit-learn's, give the same bits."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from shared.compiled.parts import Floats, FormDamaged, Integers, Score, Table, Vector


@dataclass(frozen=True)
class LinearScore(Score):
    """The product of the features, less `centre`, with the weights (outputs, features), and the intercept."""

    weights: Table
    intercept: Vector
    # No entry where nothing is subtracted.
    centre: Vector
    # A vector as the weights multiplies in another order than a matrix of one row.
    as_vector: bool
    # Whether scikit-learn has the weights of each feature side by side, and not those of each output.
    by_feature: bool

    def check(self) -> None:
        """See that weights and intercept fit each other.

        Raises:
            FormDamaged: when they do not.
        """
        outputs, features = self.weights.shape
        if len(self.intercept) not in {1, outputs} or len(self.centre) not in {0, features}:
            raise FormDamaged("weights and intercept do not fit each other")

    def values(self, features: Floats) -> Floats:
        """A number per row, or a row of outputs if there are several."""
        if len(self.centre):
            features = features - self.centre
        if self.as_vector:
            return np.asarray(features @ self.weights[0] + self.intercept)
        found = features @ self._factors + self.intercept
        return found[:, 0] if found.shape[1] == 1 else found

    @cached_property
    def _factors(self) -> Floats:
        return np.ascontiguousarray(self.weights.T) if self.by_feature else self.weights.T


@dataclass(frozen=True)
class Cutoff(LinearScore):
    """A linear score of features that are 1 above a limit and else 0."""

    limit: float

    def values(self, features: Floats) -> Floats:
        """A row of outputs for each row."""
        return super().values((features > self.limit).astype(np.float64))


@dataclass(frozen=True)
class NormalDensities(Score):
    """The logarithms of naive normal densities, one per class."""

    means: Table
    variances: Table
    logs_of_priors: Vector

    def values(self, features: Floats) -> Floats:
        """A row of outputs for each row."""
        found = []
        for mean, variance, log_of_prior in zip(self.means, self.variances, self.logs_of_priors, strict=True):
            density = -0.5 * np.sum(np.log(2.0 * np.pi * variance))
            density = density - 0.5 * np.sum(((features - mean) ** 2) / variance, 1)
            found.append(log_of_prior + density)
        return np.stack(found).T


@dataclass(frozen=True)
class TableOfCategories(Score):
    """The sum of what tables say of the category in each feature; feature f has the columns from starts[f] on."""

    table: Table
    starts: Integers
    logs_of_priors: Vector

    def values(self, features: Floats) -> Floats:
        """A row of outputs for each row.

        Raises:
            ValueError: for a category that no table has.
        """
        found = np.zeros((len(features), len(self.table)))
        for feature, codes in enumerate(features.astype(np.int64).T):
            if (codes < 0).any() or (codes >= self.starts[feature + 1] - self.starts[feature]).any():
                raise ValueError("a category was not seen in training")
            found += self.table[:, self.starts[feature] + codes].T
        return np.asarray(found + self.logs_of_priors)


@dataclass(frozen=True)
class NormalShapes(Score):
    """The logarithms of normal densities, one per class, each with axes of its own, side by side in `axes`."""

    means: Table
    axes: Table
    starts: Integers
    volumes: Vector
    logs_of_priors: Vector

    def values(self, features: Floats) -> Floats:
        """A row of outputs for each row."""
        distances = []
        for place, mean in enumerate(self.means):
            # Column by column, as scikit-learn has them: the last digits for a single row depend on that.
            axes = np.asfortranarray(self.axes[:, self.starts[place] : self.starts[place + 1]])
            distances.append(np.sum(np.dot(features - mean, axes) ** 2, axis=1))
        return np.asarray(-0.5 * (np.array(distances).T + self.volumes) + self.logs_of_priors)


@dataclass(frozen=True)
class Network(Score):
    """Layers of weights, one after the other; layer l has `sizes[l]` inputs and `sizes[l + 1]` outputs."""

    weights: Vector
    intercepts: Vector
    sizes: Integers
    activation: str

    def check(self) -> None:
        """See that the layers have their weights.

        Raises:
            FormDamaged: when they have not.
        """
        wanted = int((self.sizes[:-1] * self.sizes[1:]).sum()), int(self.sizes[1:].sum())
        if (len(self.weights), len(self.intercepts)) != wanted or self.activation not in _ACTIVATIONS:
            raise FormDamaged("the layers do not have their weights")

    def values(self, features: Floats) -> Floats:
        """A row of outputs for each row, before the last activation."""
        activate, sizes = _ACTIVATIONS[self.activation], self.sizes.tolist()
        weight = intercept = 0
        for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
            weights = self.weights[weight : weight + inputs * outputs].reshape(inputs, outputs)
            features = features @ weights
            features += self.intercepts[intercept : intercept + outputs]
            weight, intercept = weight + inputs * outputs, intercept + outputs
            if layer < len(sizes) - 2:
                activate(features)
        return features


@dataclass(frozen=True)
class ConstantScore(Score):
    """The same for every row."""

    outputs: Vector

    def values(self, features: Floats) -> Floats:
        """The outputs, for each row."""
        found = np.empty((len(features), len(self.outputs)))
        found[:] = self.outputs
        return found


def _identity(values: Floats) -> None:
    del values


def _tanh(values: Floats) -> None:
    np.tanh(values, out=values)


def _rectify(values: Floats) -> None:
    np.maximum(values, 0, out=values)


def _logistic(values: Floats) -> None:
    values[:] = 1.0 / (1.0 + np.exp(-values))


_ACTIVATIONS: dict[str, Any] = {
    "identity": _identity,
    "tanh": _tanh,
    "relu": _rectify,
    "logistic": _logistic,
}
