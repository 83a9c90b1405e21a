"""Where every zero-cost proxy is computed, by name; `nas.proxies` says what each one is."""

# By name, as all of them need torch, which takes seconds to load.
PROXIES = {
    "synflow": "nas.evaluation.proxies.synaptic_flow:synflow",
    "naswot": "nas.evaluation.proxies.codes:naswot",
    "jacob_cov": "nas.evaluation.proxies.jacobian:jacob_cov",
    "zen": "nas.evaluation.proxies.zen:zen",
    "grad_norm": "nas.evaluation.proxies.gradients:grad_norm",
    "snip": "nas.evaluation.proxies.gradients:snip",
    "grasp": "nas.evaluation.proxies.gradients:grasp",
    "fisher": "nas.evaluation.proxies.fisher:fisher",
}
