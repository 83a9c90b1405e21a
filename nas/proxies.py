"""Every zero-cost proxy by name: what an untrained network says of its accuracy after training. No torch here.

Sizes, which need no network, are the baseline beside which a proxy is shown: `parameters` and `multiply_adds` of the
graph's costs.
"""

from nas.objectives import Metric

SIZES = ("parameters", "multiply_adds")
METRICS: dict[str, Metric] = {
    "synflow": Metric("Synaptic flow", "max", ""),
    "naswot": Metric("NASWOT", "max", ""),
    "jacob_cov": Metric("Jacobian covariance", "max", ""),
    "zen": Metric("Zen-score", "max", ""),
    "grad_norm": Metric("Gradient norm", "max", ""),
    "snip": Metric("SNIP", "max", ""),
    "grasp": Metric("GraSP", "max", ""),
    "fisher": Metric("Fisher", "max", ""),
}
ABOUT = {
    "synflow": "How much passes from input to output along all paths, were every weight positive. Needs no data.",
    "naswot": "How differently the ReLUs fire for different inputs. Needs ReLU activations.",
    "jacob_cov": "How differently the network reacts to small changes of different inputs.",
    "zen": "How much a little noise moves the last image that the network computes. Needs convolutions, but no data.",
    "grad_norm": "How large the gradients of the weights are for one batch.",
    "snip": "How much the loss of one batch hangs on each weight being there.",
    "grasp": "How much the gradient's length hangs on each weight being there.",
    "fisher": "How much the loss of one batch hangs on each channel being there.",
}
