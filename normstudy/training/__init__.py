"""Training: the network of a run, its settings, the penalties, the loop and the evaluation."""

from normstudy.training.evaluation import Evaluation, evaluate
from normstudy.training.loop import fit, one_cycle
from normstudy.training.network import NETWORK, build
from normstudy.training.penalties import l1_penalty, l2_penalty, penalized_weights, penalty
from normstudy.training.settings import Diverged, EpochMetrics, Settings

__all__ = [
    "NETWORK",
    "Diverged",
    "EpochMetrics",
    "Evaluation",
    "Settings",
    "build",
    "evaluate",
    "fit",
    "l1_penalty",
    "l2_penalty",
    "one_cycle",
    "penalized_weights",
    "penalty",
]
