"""Pickles that write a file when they are loaded, which must never be there."""

import os
import pickle

MARK = "/tmp/blurbench-ran-a-file"  # nothing but what is unpickled writes it


class _Runs:
    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


def pickled(rng, protocol=None):
    """Bytes of a pickle that runs code, in one of several ways."""
    script = f"open({MARK!r}, 'w')"
    ways = [(os.system, (f"touch {MARK}",)), (eval, (script,)), (exec, (script,)), (open, (MARK, "w"))]
    runs = _Runs(rng.choice(ways))
    whole = rng.choice([runs, {"network": runs}, [1, runs], {"method": "ours", "options": {"width": runs}}])
    return pickle.dumps(whole, protocol=rng.choice([2, 4]) if protocol is None else protocol)
