"""What goes on inside a recurrent network: its matrices, its gates over time, how far its gradient reaches.

Every function takes any Keras model and finds the recurrent layers in it, however deep they lie.
"""

from forecaster.networks.inspection.activations import Trace, activations
from forecaster.networks.inspection.gradient_reach import GradientReach, LayerReach, gradient_reach
from forecaster.networks.inspection.parameters import LayerParameters, Matrix, parameters
from forecaster.networks.inspection.verdict import Verdict, verdict

__all__ = [
    "GradientReach",
    "LayerParameters",
    "LayerReach",
    "Matrix",
    "Trace",
    "Verdict",
    "activations",
    "gradient_reach",
    "parameters",
    "verdict",
]
