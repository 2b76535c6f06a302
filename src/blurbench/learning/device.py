"""The device that a network runs on, and the precision and memory layout that pay there."""

import torch


def find_device(name: str) -> torch.device:
    """torch.device of the configuration's `device`: auto takes a GPU where there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def precision(device: torch.device) -> torch.dtype | None:
    """bfloat16 where the hardware multiplies it (CUDA from Ampere on, CPUs with AVX512-BF16 or AMX), else None.

    Elsewhere it is emulated and slower than float32. Depends on the machine alone, so that runs repeat.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else None
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else None


def autocast(device: torch.device):
    """Context in which a network is run, in training and prediction alike."""
    dtype = precision(device)
    return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)


def place(network, device: torch.device):
    """The network on its device, with its weights' channels last where that pays: in bfloat16, and in three dimensions.

    Not in float32 where a 3-D network has strided convolutions: the backward pass of a narrow one can crash on a CPU
    (seen with torch 2.13).
    """
    network = network.to(device)
    strides = [part.stride for part in network.modules() if isinstance(part, torch.nn.Conv3d)]
    if precision(device) or (strides and all(set(stride) == {1} for stride in strides)):
        layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
        for p in network.parameters():
            if p.ndim in layouts:
                p.data = p.data.contiguous(memory_format=layouts[p.ndim])
    return network
