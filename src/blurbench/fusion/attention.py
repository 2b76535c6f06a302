"""Attention along the axes of a volume, as light goes: what is left of it at a place depends on what lies before."""

import torch
from torch import nn
from torch.nn import functional

HEADS = 4
FURTHEST = 5  # places along an axis that one attends to in either direction


class AxialAttention(nn.Module):
    """Attention along z, y and x in turn (Ho et al. 2019, arXiv:1912.12180), then two layers, all residual.

    Each place attends to those within FURTHEST on its row, by what they hold and where they are; so a large view is
    no other task than a patch of it.
    """

    def __init__(self, width):
        super().__init__()
        self.rows = nn.ModuleList(_Rows(width) for _ in range(3))
        layers = nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        self.layers = nn.Sequential(nn.LayerNorm(width), *layers)

    def forward(self, x):
        """x : (item, width, z, y, x), and so is what it gives."""
        x = x.movedim(1, -1)
        for axis, rows in enumerate(self.rows, start=1):
            x = x + rows(x.transpose(axis, 3)).transpose(axis, 3)
        return (x + self.layers(x)).movedim(-1, 1)


class _Rows(nn.Module):
    """Attention along the last axis but one, (..., places, width)."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.distance = nn.Parameter(torch.zeros(HEADS, 2 * FURTHEST + 1))

    def forward(self, x):
        *_, places, width = x.shape
        rows = self.qkv(self.norm(x)).reshape(-1, places, 3, HEADS, width // HEADS)
        at = torch.arange(places, device=x.device)
        away = at - at[:, None]
        bias = self.distance[:, away.clamp(-FURTHEST, FURTHEST) + FURTHEST]
        bias = bias.masked_fill(away.abs() > FURTHEST, float("-inf")).to(rows.dtype)
        attended = functional.scaled_dot_product_attention(*rows.permute(2, 0, 3, 1, 4), attn_mask=bias)
        return self.out(attended.transpose(1, 2).reshape(x.shape))
