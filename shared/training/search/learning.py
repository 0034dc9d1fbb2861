"""A search by Optuna, which is imported here only, when a job runs: each candidate follows from those before."""

from typing import Any

from shared.training.search.methods import Measure
from shared.training.search.space import Choices, Range, Space, key_of, size_of

# In a small space, most candidates were tried before.
_ASKED = 20


def try_learning(space: Space, trials: int, measure: Measure, *, rises: bool, seed: int) -> None:
    """Measure so many different candidates, as the Tree-structured Parzen Estimator suggests them."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize" if rises else "minimize", sampler=sampler)
    distributions = {name: _distribution(optuna, entry) for name, entry in space.items()}
    size, scores = size_of(space), dict[str, float | None]()
    wanted = trials if size is None else min(trials, size)
    for _ in range(trials * _ASKED):
        if len(scores) == wanted:
            break
        trial = study.ask(distributions)
        values = {name: _value(entry, trial.params[name]) for name, entry in space.items()}
        key = key_of(values)
        if key not in scores:
            (tried,) = measure([(len(scores) + 1, values)])
            scores[key] = None if tried.failure else tried.mean
        score = scores[key]
        study.tell(trial, score, state=optuna.trial.TrialState.FAIL if score is None else None)


def _distribution(optuna: Any, entry: Choices | Range) -> Any:
    if not isinstance(entry, Range):
        # By their places: it takes no lists, which choices may be.
        return optuna.distributions.CategoricalDistribution(range(len(entry)))
    kind = optuna.distributions.IntDistribution if entry.whole else optuna.distributions.FloatDistribution
    return kind(entry.low, entry.high, log=entry.log)


def _value(entry: Choices | Range, said: Any) -> Any:
    return entry.rounded(said) if isinstance(entry, Range) else entry[said]
