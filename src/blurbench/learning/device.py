"""The device that a network runs on, and the numbers and memory layout that it runs with."""

import torch

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}  # of weights, by their dimensions


def find_device(name: str) -> torch.device:
    """torch.device of the configuration's `device`: auto takes a GPU where there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def place(network, device: torch.device, precision: str):
    """The network on its device, which from now on multiplies in the precision of the configuration.

    float32 is that on any machine: a GPU would round what its convolutions multiply to TF32 unless told not to.
    bfloat16 is PyTorch's autocast of every call; it pays where the hardware multiplies it (CUDA from Ampere on, CPUs
    with AVX512-BF16 or AMX), and is emulated elsewhere, slower than float32.

    The weights' channels are last where that pays: in bfloat16, and in three dimensions. Not in float32 where a 3-D
    network has strided convolutions: the backward pass of a narrow one can crash on a CPU (seen with torch 2.13).
    """
    network = network.to(device)
    torch.backends.cudnn.allow_tf32 = False  # of matrix products PyTorch's default is float32
    strides = [part.stride for part in network.modules() if isinstance(part, torch.nn.Conv3d)]
    if precision == "bfloat16" or (strides and all(set(stride) == {1} for stride in strides)):
        for p in network.parameters():
            if p.ndim in LAYOUTS:
                p.data = p.data.contiguous(memory_format=LAYOUTS[p.ndim])
    if precision == "bfloat16":
        for call in {"forward", "by_levels"} & set(dir(network)):
            setattr(network, call, torch.autocast(device.type, dtype=torch.bfloat16)(getattr(network, call)))
    return network
