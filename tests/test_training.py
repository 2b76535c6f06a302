"""The training loop: what it learns, that it repeats, and that it goes on where it was interrupted."""

import subprocess
import sys
import time

import numba
import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from blurbench.files import models
from blurbench.learning import batches, cost, training
from blurbench.learning.budget import Budget

DEVICE = torch.device("cpu")


def problem(n=256):
    """A straight line with noise of SD 0.5, which a linear network with a constant SD fits exactly."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(n, 1)).astype(np.float32))
    return x, 2 * x[:, 0] + 1 + 0.5 * torch.from_numpy(rng.normal(size=n).astype(np.float32))


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line, self.log_sd = torch.nn.Linear(1, 1), torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.line(x)[:, 0], self.log_sd.expand(len(x))


def loss_of(mean, log_sd, target):
    """Negative log-likelihood of a normal law."""
    return (log_sd + 0.5 * ((target - mean) / log_sd.exp()) ** 2).mean()


def run(budget, stop_after=None, seed=3):
    x, y = problem()
    torch.manual_seed(seed)
    network, seen = Line(), 0

    def batch(index, rng):
        nonlocal seen
        seen += 1
        if stop_after and seen > stop_after:
            raise KeyboardInterrupt
        i = torch.from_numpy(index)
        return x[i] + 0.01 * float(rng.normal()), y[i]

    def loss(network, batch):
        return loss_of(*network(batch[0]), batch[1])

    def validate(network):
        return {"validation_loss": float(loss_of(*network(x), y))}

    curve = training.train(network, batch, len(x), len(x), loss, validate, budget, seed, DEVICE)
    return network, curve


def budget(tmp_path=None, **changes):
    settings = {
        "epochs": 62.5,
        "batch_size": 32,
        "learning_rate": 0.05,
        "validations": 10,
        "weight_decay": 0.0,
        "patience": 99,
    }
    return Budget(**{**settings, **changes}, checkpoint=tmp_path / "c/checkpoint.pt" if tmp_path else None)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_learns_line_and_noise():
    network, curve = run(budget())
    slope, intercept, log_sd = network.line.weight.item(), network.line.bias.item(), network.log_sd.item()
    # 256 items of SD 0.5: the standard error of each coefficient is 0.03; five of them.
    assert abs(slope - 2) < 0.16 and abs(intercept - 1) < 0.16 and abs(np.exp(log_sd) - 0.5) < 0.12
    assert {"items", "seconds", "train_loss", "validation_loss", "learning_rate"} <= set(curve)
    assert curve["items"].iloc[-1] == 16000 and curve["learning_rate"].iloc[-1] < 1e-4


def test_same_seed_same_weights_and_another_seed_others():
    first, second, other = (run(budget(), seed=s)[0] for s in (3, 3, 4))
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.parametrize("stop_after", [60, 249, 250, 499])
def test_interrupted_training_ends_with_the_weights_of_an_undisturbed_one(tmp_path, stop_after):
    undisturbed, curve = run(budget())
    with pytest.raises(KeyboardInterrupt):
        run(budget(tmp_path), stop_after=stop_after)
    resumed, resumed_curve = run(budget(tmp_path))
    assert torch.equal(weights(undisturbed), weights(resumed))
    assert resumed_curve["validation_loss"].tolist() == curve["validation_loss"].tolist()


def test_batches_made_ahead_train_to_the_same_weights(monkeypatch, tmp_path):
    plain, curve = run(budget())
    in_order = batches.in_order
    monkeypatch.setattr(batches, "in_order", lambda make, steps, ahead: in_order(make, steps, ahead=True))
    ahead, same = run(budget())
    assert torch.equal(weights(plain), weights(ahead))
    assert same["validation_loss"].tolist() == curve["validation_loss"].tolist()
    with pytest.raises(KeyboardInterrupt):  # raised where the batch is made
        run(budget(tmp_path), stop_after=249)
    assert torch.equal(weights(plain), weights(run(budget(tmp_path))[0]))


def test_the_curve_tells_how_long_steps_waited_for_their_batches():
    curve = run(budget())[1]
    assert (curve["seconds_waited"] > 0).all() and (curve["seconds_waited"] < curve["seconds"]).all()
    assert curve["seconds_waited"].is_monotonic_increasing


def test_the_cost_of_all_sessions_is_summed(monkeypatch, tmp_path):
    """By a clock that each step moves by a core-second: 500 steps, 10 checkpoints, the end within an interval."""
    clock = [0.0]
    monkeypatch.setattr(cost.time, "process_time", lambda: clock[0])

    def tick(*_):
        clock[0] += 1

    hook = register_optimizer_step_post_hook(tick)
    expected = pytest.approx([50.0 * k for k in range(1, 11)])  # rounding, where the process has compiled before
    try:
        assert run(budget())[1]["core_s"].tolist() == expected
        with pytest.raises(KeyboardInterrupt):
            run(budget(tmp_path), stop_after=180)
        clock[0] += 1000  # of nobody: between the sessions
        assert run(budget(tmp_path))[1]["core_s"].tolist() == expected
    finally:
        hook.remove()


def test_waiting_costs_seconds_and_no_core_seconds():
    spent = cost.Cost()
    time.sleep(0.05)
    assert spent.spent()["seconds"] > 0.05 > 0.025 > spent.spent()["core_s"]
    spent.add({"seconds": 10.0, "core_s": 5.0})
    assert spent.spent()["seconds"] > 10.05 and 5 < spent.spent()["core_s"] < 5.05


def test_compiling_costs_nothing():
    spent, start = cost.Cost(), time.process_time()
    for number in range(3):
        assert numba.njit(lambda x, number=number: x + number)(1) == 1 + number
    taken = time.process_time() - start
    assert spent.spent()["core_s"] < 0.3 * taken  # what is left is the dispatch of three calls


def test_interruption_loses_no_more_than_one_checkpoint_interval(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(budget(tmp_path), stop_after=180)
    state = models.read(tmp_path / "c/checkpoint.pt")
    assert 180 - 50 <= state["state"]["step"] <= 180  # 500 steps, 10 validations


def test_early_stop_keeps_the_best_weights():
    network, curve = run(budget(learning_rate=2.0, warmup=0.0, patience=2))  # a rate that overshoots
    x, y = problem()
    kept = float(loss_of(*network(x), y))
    assert kept == pytest.approx(curve["validation_loss"].min(), rel=1e-5)


def test_an_early_stop_that_was_interrupted_stays_one(tmp_path):
    overshooting = {"learning_rate": 2.0, "warmup": 0.0, "patience": 2}
    undisturbed, curve = run(budget(**overshooting))
    run(budget(tmp_path, **overshooting))  # leaves its checkpoint, as `fit` alone removes it
    resumed, again = run(budget(tmp_path, **overshooting))
    assert len(curve) < 10 and len(again) == len(curve)
    assert torch.equal(weights(undisturbed), weights(resumed))


def test_order_is_a_permutation_that_keeps_blocks_together():
    order = training._order(1, 2, 1000, 128)
    assert sorted(order) == list(range(1000))
    assert np.count_nonzero(np.diff(order // 128)) == 7  # eight blocks, each visited once
    assert not np.array_equal(order, training._order(1, 3, 1000, 128))


def test_a_damaged_checkpoint_is_named_and_training_begins_anew(tmp_path, caplog):
    with pytest.raises(KeyboardInterrupt):
        run(budget(tmp_path), stop_after=300)
    checkpoint = tmp_path / "c/checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-50])
    undisturbed, resumed = run(budget())[0], run(budget(tmp_path))[0]
    assert torch.equal(weights(undisturbed), weights(resumed))
    assert str(checkpoint) in caplog.text and "beginning anew" in caplog.text


def test_a_flipped_bit_in_the_weights_is_found(tmp_path):
    path = tmp_path / "model.pt"
    models.write({"network": {"weight": torch.ones(1000)}}, path)
    content = bytearray(path.read_bytes())
    content[content.index(torch.ones(100).numpy().tobytes()) + 41] ^= 1
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)["network"]["weight"].unique().numel() == 2  # torch itself sees nothing
    with pytest.raises(models.ModelError, match=r"model\.pt.*checksum|model\.pt.*CRC"):
        models.read(path)


def test_a_model_without_tensors_needs_no_torch_and_comes_back_as_it_is(tmp_path):
    path = tmp_path / "model.pt"
    plain = {"seed": 0, "spec": {"noise": 0.1}, "settings": [{"stain": "cells", "level": 1 / 3, "found": None}]}
    models.write(plain, path)
    script = "import sys; from blurbench.files import models; print(models.read(sys.argv[1]), 'torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script, path], check=True, capture_output=True, text=True).stdout
    assert found == f"{plain} False\n"
    path.write_bytes(path.read_bytes().replace(b"cells", b"tells"))
    with pytest.raises(models.ModelError, match=r"model\.pt.*checksum"):
        models.read(path)


@pytest.mark.parametrize("content", [{1: 2}, {"sides": (1, 2)}, {"noise": float("nan")}])
def test_what_json_would_alter_is_not_written_as_such(tmp_path, content):
    models.write(content, tmp_path / "model.pt")
    assert repr(models.read(tmp_path / "model.pt")) == repr(content)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 truncated", b"\x80\x04K\x01."])
def test_a_file_that_is_no_model_is_named(tmp_path, content):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(models.ModelError, match="model.pt"):
        models.read(path)


def test_a_model_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    torch.save({"network": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(models.ModelError, match="evil.pt"):
        models.read(tmp_path / "evil.pt")


def test_a_weight_that_is_larger_than_its_file_is_refused(tmp_path):
    """Of 4 bytes, told to be 40 TB by strides of 0: whatever looks at all of them asks for the memory."""
    huge = torch.zeros(1).as_strided((10**9, 10**4), (0, 0))
    torch.save({"network": {"weights": [huge]}}, tmp_path / "huge.pt")
    with pytest.raises(models.ModelError, match=r"huge\.pt: .*shape \(1000000000, 10000\)"):
        models.read(tmp_path / "huge.pt")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(2, 2).to_sparse(),
        torch.empty(2**40, device="meta"),
    ],
    ids=["sparse", "meta"],
)
def test_a_weight_that_is_no_plain_array_is_refused(tmp_path, tensor):
    torch.save({"network": {"weights": tensor}}, tmp_path / "odd.pt")
    with pytest.raises(models.ModelError, match=r"odd\.pt: found no model"):
        models.read(tmp_path / "odd.pt")


def test_a_checkpoint_of_other_data_or_code_is_not_gone_on_from(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(budget(tmp_path, fingerprint="old"), stop_after=300)
    fresh, _ = run(budget(fingerprint="new"))
    after, curve = run(budget(tmp_path, fingerprint="new"))
    assert torch.equal(weights(fresh), weights(after)) and len(curve) == 10
