"""Network parts that the learned methods share."""

import torch
from torch import nn
from torch.nn import functional

HEADS = 4
FURTHEST = 8  # frames apart from which on a distance in time has no weight of its own


class Block(nn.Module):
    """Transformer block over time, any number of frames: attention with a bias by distance in time, then two layers."""

    def __init__(self, width, dropout=0.0):
        super().__init__()
        self.before_attention, self.before_layers = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.layers = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.distance = nn.Parameter(torch.zeros(HEADS, FURTHEST + 1))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, present):
        """x : (item, t, width); present : (item, t) bool, False for frames that only pad."""
        n, frames, width = x.shape
        q, k, v = self.qkv(self.before_attention(x)).view(n, frames, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        t = torch.arange(frames, device=x.device)
        near = self.distance[:, (t[:, None] - t).abs().clamp(max=FURTHEST)]
        bias = near + torch.where(present[:, None, None, :], 0.0, -1e4)
        attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = x + self.dropout(self.out(attended.transpose(1, 2).reshape(n, frames, width)))
        return x + self.dropout(self.layers(self.before_layers(x)))


def pooled(x, present):
    """Mean and mean square over the frames that there are: (item, 2 · width)."""
    x = x * present[..., None]
    n = present.sum(dim=1, keepdim=True)
    return torch.cat([x.sum(dim=1) / n, (x * x).sum(dim=1) / n], dim=-1)


class Residual(nn.Module):
    """Two 3x3 (or 3x3x3) convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, dims, inside, outside, stride):
        super().__init__()
        conv, norm = (nn.Conv2d, nn.BatchNorm2d) if dims == 2 else (nn.Conv3d, nn.BatchNorm3d)
        stride = stride if dims == 2 else (1, stride, stride)  # frames are few: time keeps its length
        self.first = nn.Sequential(conv(inside, outside, 3, stride, 1, bias=False), norm(outside), nn.ReLU())
        self.second = nn.Sequential(conv(outside, outside, 3, 1, 1, bias=False), norm(outside))
        changed = inside != outside or stride not in (1, (1, 1, 1))
        self.shortcut = conv(inside, outside, 1, stride, bias=False) if changed else nn.Identity()

    def forward(self, x):
        """x : (item, channel, y, x), or (item, channel, t, y, x) in 3-D."""
        return functional.relu(self.second(self.first(x)) + self.shortcut(x))
