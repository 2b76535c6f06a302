"""Methods that answer what a test says."""

import pytest

from blurbench.colloids import measurement


@pytest.fixture
def predicts(monkeypatch):
    """Make methods answer what a function (method's name, dataset, model) -> points gives."""

    def use(function):
        def answers(items, entries, device):
            for name, entry in entries.items():
                models = entry["models"] or {0: None}
                yield name, entry, {seed: function(name, items, model) for seed, model in models.items()}

        monkeypatch.setattr(measurement, "answers", answers)

    return use
