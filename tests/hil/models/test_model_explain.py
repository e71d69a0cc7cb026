"""One decision explained: on the window that it saw, truly where the network looks, and closing its own sum."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from model_boards import CHANNELS, batch, contract, gap, network, readings, small_model, split
from net_models import net_model, net_readings
from onnx import TensorProto, helper, numpy_helper
from scipy.stats import spearmanr

from firmware_bridge.batch import Batch
from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.streams import Stream
from hil.models import explain as reasons
from hil.models.carried import carried, channel_names
from hil.models.contract import Contract
from hil.models.data_config import Conditioning
from hil.models.model import Model, load_model
from hil.models.package import pack, unpack
from hil.models.post import Post
from hil.models.seen import Seen, look_back_s, seen_at, seen_in
from hil.recording.reader import Recording

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "hil" / "models" / "exercise.hilmodel"
WATCH = ROOT / "scenarios" / "recordings" / "watch-unseen-9.mcap"
NETS = ("tcn", "resnet", "hybrid", "gru", "shots", "cnn", "cnn_gru")


def seen_of(model: Model, given: Batch, sample: int = 311) -> Seen:
    """What the last decision until a sample saw."""
    (seen,) = seen_in(model, split(given, [50, 100]), int(given.t_ns[sample]))
    return seen


def small_with(network: torch.nn.Module, **changes: object) -> Model:
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Model(unpack(pack(contract(**changes), weights), "small"))


# ---- the window is the one that the decision saw ---------------------------------------------------------------------


@pytest.mark.parametrize("name", NETS)
def test_the_window_gives_again_what_the_network_gave_live_and_the_sum_closes(name: str) -> None:
    model, given = net_model(name, 6), net_readings(name, 400)
    seen = seen_of(model, given)
    made = [one for one in model.runner().push([given]) if one.t_ns <= given.t_ns[311]][-1]
    assert (seen.decision.sample, seen.decision.scores) == (made.sample, made.scores)
    assert seen.t_ns[-1] == made.t_ns
    found = reasons.explain(model, seen)
    told = model.contract.labels.index(made.label)
    assert found.score == pytest.approx(float(seen.outputs[told]), abs=1e-4)
    assert abs(found.error) <= 0.02 * abs(found.difference)
    assert found.attributions.shape == seen.window.shape == (len(seen.t_ns), model.contract.width)


def test_a_recurrent_decision_is_explained_from_the_clearing_of_its_state_on() -> None:
    model, given = net_model("gru", 6), net_readings("gru", 400)
    assert model.contract.architecture is not None
    lengths = {len(seen_of(model, given, end - 1).window) for end in range(300, 324, 6)}
    assert lengths == {model.contract.architecture.config.span(end) for end in range(300, 324, 6)}
    assert len(lengths) > 1


def test_a_few_seconds_of_a_recording_are_enough_to_make_its_decision_again() -> None:
    model = load_model(SHIPPED)
    with Recording(WATCH) as recording:
        seen = seen_at(model, recording, 12.3)
        t_s = (seen.decision.t_ns - recording.start_ns) / 1e9
        assert 11.3 < t_s <= 12.3
        rounded = seen_at(model, recording, float(f"{t_s:.3f}"))
        assert rounded.decision == seen.decision
        arrays = recording.read("watch", "imu", t_s - len(seen.window) / 50.0 + 0.01, t_s + 0.001)
    mean, std = (np.array([getattr(one, key) for one in model.contract.inputs]) for key in ("mean", "std"))
    np.testing.assert_allclose(seen.window, (arrays.values - mean) / std, atol=1e-4)
    np.testing.assert_allclose(seen.t_ns, arrays.t_ns, atol=1e6)


def test_a_resampled_stream_is_explained_as_the_model_reads_it() -> None:
    fast = Stream("imu", CHANNELS, ("m/s2", "m/s2", "deg/s"), "<i2", (3,), 100.0, scale=(1 / 500, 1 / 500, 1 / 16))
    model = small_with(network(), conditioning=Conditioning(units="convert", rate="resample"))
    numbers = np.arange(800, dtype=np.int64)
    whole = Batch("a", fast, 0, 0, numbers, numbers * 10_000_000, readings(800))
    (all_of_it,) = seen_in(model, [whole], int(whole.t_ns[700]))
    begin = 700 - int(look_back_s(model.contract) * 100)
    (piece,) = seen_in(model, [whole.part(begin, 800)], int(whole.t_ns[700]))
    assert piece.decision == all_of_it.decision
    np.testing.assert_array_equal(piece.window, all_of_it.window)
    assert np.diff(piece.t_ns) == pytest.approx(20_000_000)


def test_a_decision_is_explained_where_it_was_made_before_readings_went_missing() -> None:
    given = batch(readings(400))
    (seen,) = seen_in(small_model(), [given.part(0, 200), gap(200, 100), given.part(300, 310)], int(given.t_ns[309]))
    assert seen.decision.sample == 199


# ---- it is true ------------------------------------------------------------------------------------------------------


def test_a_network_that_looks_at_one_channel_is_explained_by_it() -> None:
    blind = network()
    with torch.no_grad():
        blind.convs[0].weight[:, :2] = 0.0
    model = small_with(blind)
    found = carried(reasons.explain(model, seen_of(model, batch(readings(400)))), model.contract, 0)
    assert found["channels"][0]["channel"] == "wz"
    assert found["channels"][0]["share"] == pytest.approx(1.0)
    assert {name for one in found["stretches"] for name in one["channels"]} == {"wz"}


def test_a_score_of_one_part_of_the_window_is_explained_by_that_part() -> None:
    seen = seen_of(small_model(), batch(readings(400)))

    def score(x: torch.Tensor) -> torch.Tensor:
        return torch.stack((torch.tanh(x[:, 8:12, 1].sum(1)), x[:, 0, 0]), 1)

    found = reasons.integrated(seen, score, 0)
    outside = found.attributions.copy()
    outside[8:12, 1] = 0.0
    assert not outside.any()
    plain = carried(found, contract(), 0)
    low, high = (seen.t_ns[[8, 11]] + np.array([-10_000_000, 10_000_000])) / 1e9
    assert all(low <= one["from_s"] < one["to_s"] <= high for one in plain["stretches"])
    assert sum(one["share"] for one in plain["stretches"]) >= 0.5


def test_other_weights_give_another_map_and_equal_ones_the_same() -> None:
    seen = seen_of(small_model(), batch(readings(400)))
    maps = [reasons.explain(small_model(seed), seen).attributions.ravel() for seed in (0, 0, 1, 2, 3)]
    np.testing.assert_array_equal(maps[0], maps[1])
    alike = [float(spearmanr(maps[0], other).statistic) for other in maps[2:]]
    assert max(map(abs, alike)) < 0.4


def planted(window: int, channels: int) -> bytes:
    """A program that weighs the readings 5 to 9 of channel 1 and nothing else."""
    weight = np.zeros((window * channels, 4), np.float32)
    weight.reshape(window, channels, 4)[5:10, 1] = np.random.default_rng(0).standard_normal((5, 4))
    nodes = [helper.make_node("Reshape", ["x", "s"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    made = helper.make_model(
        helper.make_graph(
            nodes, "planted", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", window, channels])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
            [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(np.array([-1, window * channels]), "s")],
        ), opset_imports=[helper.make_opsetid("", 17)], ir_version=9,
    )  # fmt: skip
    onnx.checker.check_model(made)
    program: bytes = made.SerializeToString()
    return program


def test_a_program_is_explained_by_hiding_its_readings_piece_by_piece() -> None:
    promised = contract(architecture=None, window=20, memory_samples=20, backend="onnxruntime")
    model = Model(unpack(pack(promised, planted(20, 3)), "planted"))
    found = reasons.explain(model, seen_of(model, batch(readings(400))))
    assert (found.method, found.steps) == ("occlusion", 48)
    outside = found.attributions.copy()
    outside[5:10, 1] = 0.0
    assert not outside.any()
    assert found.error == pytest.approx(0.0, abs=1e-4)  # this program is linear
    plain = carried(found, promised, 0)
    assert plain["completeness"]["relative"] is None
    assert plain["channels"][0]["channel"] == "ay"
    assert plain["channels"][0]["net"] == pytest.approx(found.difference, abs=1e-4)


# ---- what is told of it ----------------------------------------------------------------------------------------------


def test_shares_stretches_and_the_band_are_sums_of_the_same_attributions() -> None:
    model = small_model()
    found = reasons.explain(model, seen_of(model, batch(readings(400))))
    plain = carried(found, model.contract, 0)
    assert sum(one["share"] for one in plain["channels"]) == pytest.approx(1.0)
    assert sum(one["net"] for one in plain["channels"]) == pytest.approx(plain["completeness"]["attributed"])
    for name, added in plain["band"]["added"].items():
        net = next(one["net"] for one in plain["channels"] if one["channel"] == name)
        assert sum(added) == pytest.approx(net)
        assert len(added) == len(plain["band"]["edges_s"]) - 1
    assert plain["band"]["edges_s"][-1] == pytest.approx(plain["t_s"] + 0.01)
    assert 0.5 <= sum(one["share"] for one in plain["stretches"]) < 1.0


def test_pixels_of_a_frame_are_named_by_row_and_column() -> None:
    model = net_model("cnn", 6)
    assert channel_names(model.contract)[5] == "t[1,1]"
    plain = carried(reasons.explain(model, seen_of(model, net_readings("cnn", 400))), model.contract, 0)
    assert len(plain["channels"]) == 12
    assert len(plain["band"]["added"]) == 9


def test_a_label_that_was_held_is_the_one_explained() -> None:
    model = small_with(network(), post=Post(hysteresis=0.99))
    seen = seen_of(model, batch(readings(400)))
    other = next(label for label in "ABCD" if label != model.contract.labels[int(seen.outputs.argmax())])
    held = replace(seen, decision=replace(seen.decision, label=other))
    plain = carried(reasons.explain(model, held), model.contract, 0)
    assert plain["label"] == other != plain["first_of_network"]


# ---- what cannot be explained ----------------------------------------------------------------------------------------


def test_a_moment_without_a_decision_is_refused_in_a_sentence() -> None:
    model = load_model(SHIPPED)
    with Recording(WATCH) as recording:
        with pytest.raises(UsageError, match="is not in the recording, which lasts"):
            seen_at(model, recording, 1e4)
        with pytest.raises(UsageError, match=r"decided nothing in the .* until 1 s: .*`hil predict`"):
            seen_at(model, recording, 1.0)


def test_a_wide_program_is_refused_in_a_sentence() -> None:
    promised: Contract = contract(architecture=None, window=20, memory_samples=20, backend="onnxruntime")
    wide = promised.model_copy(update={"inputs": promised.inputs[:1], "frame": (9, 9)})
    with pytest.raises(UsageError, match="this one has 81"):
        reasons.explainable(wide)


def test_without_captum_the_install_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(MissingPart, match=r"pip install 'hil-testbench\[explain\]'"):
        reasons.needs_captum()
