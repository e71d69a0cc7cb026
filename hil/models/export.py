"""`save_model`: a user's own network into a model file, without its code.

Rule: what we can rebuild ourselves is stored as weights; every other network is exported to ONNX, which is data. The
program is run once before the file is written, and its answer is compared with the network's own.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firmware_bridge.errors import MissingPart, UsageError
from firmware_bridge.missing import unread
from hil.models.contract import Architecture, Contract
from hil.models.package import write_package

if TYPE_CHECKING:
    from torch import nn

    from hil.models.model import Model

__all__ = ["exported_program", "save_model"]


def save_model(
    module: nn.Module | str | os.PathLike[str] | bytes, contract: Contract, path: str | os.PathLike[str]
) -> Model:
    """Write a network and its contract as one model file, and return it opened.

    Args:
        module: A torch network that takes normalised windows `(batch, window, channels)` (or `(batch, channels,
            window)` with `layout = "channels_time"`) and gives scores `(batch, labels)`; or an ONNX file of one, as a
            path or bytes.
        contract: What it promises. `architecture` is filled in for a network of ours (`hil.models.nets`).
        path: Where to write.

    Raises:
        UsageError: The network does not fit its contract, or cannot be exported.
        FileError: The file cannot be written, or the ONNX program does not load.
        MissingPart: torch, onnxscript or onnxruntime is not installed.
    """
    from hil.models.model import Model

    if isinstance(module, bytes | str | os.PathLike):
        program = module if isinstance(module, bytes) else _read(module)
        return Model(write_package(path, _window_contract(contract), _checked(program, contract)))
    try:
        import torch
    except ImportError:
        raise MissingPart("torch is not installed", "hil.models", "run: pip install 'torch==2.13.*'") from None
    from hil.models.nets.seam import Net

    if isinstance(module, Net):
        fused = module.fused()
        described = contract.model_copy(
            update={
                "architecture": Architecture.model_validate({"name": fused.name, "config": fused.config}),
                "memory_samples": fused.config.memory,
            }
        )
        weights = {name: tensor.detach().numpy() for name, tensor in fused.state_dict().items()}
        return Model(write_package(path, Contract.model_validate(described.model_dump()), weights))
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"{type(module).__name__} is no network", "save_model", "give a torch Module or an ONNX file")
    program = exported_program(module, contract)
    return Model(write_package(path, _window_contract(contract), _checked(program, contract)))


def _window_contract(contract: Contract) -> Contract:
    """The contract of a network that sees one window and remembers nothing."""
    update: dict[str, Any] = {"architecture": None, "memory_samples": contract.window, "backend": "onnxruntime"}
    return Contract.model_validate({**contract.model_dump(), **update})


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unread(error, path, "check the path") from None


def _checked(program: bytes, contract: Contract) -> bytes:
    from hil.models.window_onnx import check_program

    check_program(program, _window_contract(contract))
    return program


def exported_program(module: nn.Module, contract: Contract) -> bytes:
    """Return a network as an ONNX program whose answers were compared with its own.

    Raises:
        UsageError: It does not fit its contract, or cannot be exported.
        MissingPart: onnxscript is not installed.
    """
    import torch

    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise MissingPart(
            "the package onnxscript is not installed", "save_model", "run: pip install 'hil-testbench[onnx]'"
        ) from None
    was_training = module.training
    module.eval()
    shape = (contract.window, contract.width)
    sample = torch.randn(2, *(shape if contract.layout == "time_channels" else shape[::-1]))
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = module(sample)
            if tuple(expected.shape) != (2, len(contract.labels)):
                raise UsageError(
                    f"the network gives {list(expected.shape)} for a batch of 2 and the contract has "
                    f"{len(contract.labels)} labels",
                    "save_model",
                    f"give a network of scores [batch, {len(contract.labels)}]",
                )
            level = logging.getLogger("torch.onnx").level
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            try:
                program = torch.onnx.export(
                    module, (sample,), dynamo=True, verbose=False, dynamic_shapes=({0: torch.export.Dim("batch")},)
                )
            finally:
                logging.getLogger("torch.onnx").setLevel(level)
        assert program is not None
        exported: bytes = program.model_proto.SerializeToString()
    except UsageError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise UsageError(
            f"the network cannot be exported to ONNX ({reason})", "save_model", "export it yourself and give the file"
        ) from error
    finally:
        module.train(was_training)
    from hil.models.step_onnx import open_session

    session = open_session(exported)
    (found,) = session.run(None, {session.get_inputs()[0].name: sample.numpy()})
    difference = float(np.abs(found - expected.numpy()).max())
    if not difference <= 1e-3 * max(1.0, float(expected.abs().max())):
        raise UsageError(
            f"the exported program differs from the network by {difference:.3g}", "save_model", "export it yourself"
        )
    return exported
