"""The network: one step is that of the formula, tasks are learned, and nonsense is not."""

import numpy as np
from numpy.typing import NDArray

from models.ranker.network import LINEAR, WITH_HIDDEN, Learner, Lesson, StepSizes, make_learner
from models.ranker.network_kernel import FIRST_LISTS_SCALED, learn_lists, rank_lists

FEATURES, CANDIDATES = 7, 12
PACE = StepSizes(0.05, 0.05, True)
NOTHING = -1


def lesson(features: NDArray[np.float32], targets: NDArray[np.int32], weight: float = 1.0) -> Lesson:
    """Lists of candidates 0, 1, …; `features` (n, FEATURES, CANDIDATES)."""
    count = len(features)
    return Lesson(
        np.tile(np.arange(CANDIDATES, dtype=np.int32), (count, 1)),
        np.full(count, CANDIDATES, np.int32),
        features,
        targets,
        np.full(count, NOTHING, np.int32),
        np.full(count, weight, np.float32),
    )


def some_features(count: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, FEATURES, CANDIDATES)).astype(np.float32)


def learn(learner: Learner, given: Lesson) -> tuple[bool, NDArray[np.int32]]:
    """Whether all was learned, and the ranks of what came next before it was."""
    ranks = np.zeros((len(given.sizes), 3), np.int32)
    return learn_lists(learner, PACE, given, ranks), ranks


def weights_of(learner: Learner) -> list[NDArray[np.float32]]:
    return [each.copy() for each in learner.network]


def test_a_step_of_the_linear_ranker_is_that_of_the_formula() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    features = some_features(1)
    learn(learner, lesson(features, np.array([3], np.int32)))

    x = (features[0] - features[0].mean(axis=1, keepdims=True)) / features[0].std(axis=1, keepdims=True)
    error = np.full(CANDIDATES, 1 / CANDIDATES)  # of weights 0 all shares are equal
    error[3] -= 1
    gradient = np.clip(x @ error, -2, 2)
    step = -0.05 * gradient / np.sqrt(0.1 + gradient**2)
    np.testing.assert_allclose(learner.network.linear, step, rtol=1e-4, atol=1e-6)


def test_the_gradient_of_the_hidden_layer_is_that_of_the_loss() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 3)
    features = some_features(1)
    before = weights_of(learner)
    learn(learner, lesson(features, np.array([5], np.int32)))
    moved = learner.network.into - before[2]
    x = (features[0] - features[0].mean(axis=1, keepdims=True)) / features[0].std(axis=1, keepdims=True)

    def loss(into: NDArray[np.float64]) -> float:
        hidden = into @ x + before[3][:, None]
        scores = before[1] @ x + before[4] @ np.maximum(hidden, 0.01 * hidden)
        return float(np.log(np.exp(scores - scores[5]).sum()))

    for unit, feature in ((0, 0), (3, 2), (15, 6)):
        change = np.zeros(before[2].shape)
        change[unit, feature] = 1e-4
        gradient = (loss(before[2] + change) - loss(before[2] - change)) / 2e-4
        np.testing.assert_allclose(moved[unit, feature], -0.05 * gradient / np.sqrt(0.1 + gradient**2), rtol=0.02)


def test_the_loss_is_the_mean_of_what_the_softmax_gave_to_the_next_items() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    learn(learner, lesson(some_features(1), np.array([3], np.int32)))
    assert learner.work.losses[0] == 1
    np.testing.assert_allclose(learner.work.losses[1], np.log(CANDIDATES), rtol=1e-6)  # weights are 0

    features = some_features(400)
    learn(learner, lesson(features, features[:, 2].argmax(axis=1).astype(np.int32)))
    assert learner.work.losses[0] == 401
    assert (learner.work.losses[1:] < 0.75 * np.log(CANDIDATES)).all()


def test_what_one_feature_tells_is_learned() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    features = some_features(400)
    _, ranks = learn(learner, lesson(features, features[:, 2].argmax(axis=1).astype(np.int32)))

    assert (ranks[300:, 1:] == 1).mean() > 0.9
    assert (ranks[:20, 1:] == 1).mean() < 0.6


def test_hidden_units_learn_what_no_sum_of_features_tells() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    features = some_features(4000)
    _, ranks = learn(learner, lesson(features, np.abs(features[:, 2]).argmax(axis=1).astype(np.int32)))

    right = (ranks[3000:, 1:] == 1).mean(axis=0)
    assert right[WITH_HIDDEN] > 2 * right[LINEAR]


def test_a_feature_that_is_no_number_ends_learning_and_changes_nothing() -> None:
    for nonsense in (np.nan, np.inf):
        learner = make_learner(FEATURES, CANDIDATES, 0)
        learn(learner, lesson(some_features(400), np.zeros(400, np.int32)))
        before = weights_of(learner)
        features = some_features(2, seed=2)
        features[0, 4, 7] = nonsense

        went_on, _ = learn(learner, lesson(features, np.zeros(2, np.int32)))

        assert not went_on
        assert all(np.array_equal(old, new) for old, new in zip(before, learner.network, strict=True))


def test_weights_that_are_no_numbers_end_learning() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    learner.network.skip[1] = np.nan

    went_on, _ = learn(learner, lesson(some_features(1), np.zeros(1, np.int32)))

    assert not went_on


def test_no_list_moves_a_weight_by_more_than_a_step() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    learn(learner, lesson(some_features(FIRST_LISTS_SCALED), np.zeros(FIRST_LISTS_SCALED, np.int32)))
    before = weights_of(learner)
    learn(learner, lesson(1e4 * some_features(1, seed=2), np.array([5], np.int32)))

    moves = [np.abs(new - old).max() for old, new in zip(before, learner.network, strict=True)]
    assert max(moves) <= PACE.rate


def test_a_list_that_weighs_nothing_teaches_nothing() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    before = weights_of(learner)
    learn(learner, lesson(some_features(5), np.zeros(5, np.int32), weight=0.0))

    assert all(np.array_equal(old, new) for old, new in zip(before, learner.network, strict=True))


def test_a_list_where_nothing_came_next_is_no_lesson() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    before = weights_of(learner)
    _, ranks = learn(learner, lesson(some_features(1), np.array([CANDIDATES + 1], np.int32)))

    assert ranks[0, 1:].tolist() == [0, 0]
    assert all(np.array_equal(old, new) for old, new in zip(before, learner.network, strict=True))


def test_lists_are_in_the_order_of_scores_without_what_is_not_shown() -> None:
    learner = make_learner(FEATURES, CANDIDATES, 0)
    learner.network.linear[0] = 1.0
    features = np.zeros((1, FEATURES, CANDIDATES), np.float32)
    features[0, 0] = [5, 1, 4, 4, 2, 9, 0, 0, 0, 0, 0, 0]
    given = lesson(features, np.zeros(1, np.int32))._replace(excluded=np.array([5], np.int32))
    weight = np.ones(CANDIDATES, np.float32)
    weight[4] = 0
    lists = np.full((1, 4), NOTHING, np.int32)

    rank_lists(learner, given, weight, LINEAR, lists)

    assert lists[0].tolist() == [0, 2, 3, 1]  # 2 and 3 are equal and stay in their order
