"""The loop over methods and training seeds that the measurements of all problems share."""

from types import SimpleNamespace

from blurbench.running import measurement


def test_every_method_answers_once_per_training_seed(monkeypatch):
    monkeypatch.setattr(measurement.methods, "load", lambda *names_and_model: names_and_model[:3])
    monkeypatch.setattr(measurement.methods, "predict", lambda method, items, model, *_: (*method, model))
    items = SimpleNamespace(attrs={"problem": "any"})
    entries = {
        "net": {"method": "net", "kind": "learned", "options": {"wide": 2}, "models": {2: "a/2.pt", 7: "b.pt"}},
        "fixed": {"method": "plain", "kind": "classical", "options": {}, "models": {}},
    }
    (net, entry, by_seed), fixed = measurement.answers(items, entries, "cpu")
    assert net == "net" and entry is entries["net"]
    assert by_seed == {seed: ("any", "net", {"wide": 2}, file) for seed, file in ((2, "a/2.pt"), (7, "b.pt"))}
    assert fixed == ("fixed", entries["fixed"], {0: ("any", "plain", {}, None)})
