"""Random numbers inside compiled loops: one independent stream per item and purpose.

A stream is SplitMix64 (Steele, Lea & Flood 2014): a counter, hashed. Its start is hashed from names (run seed, dataset,
split), the item's number and the purpose, so an item is the same whatever is drawn before it, in which shard or on
which core. Nothing but the counter is carried from one number to the next, so that `fill` runs on vector registers.
Two of a million streams of 10⁵ numbers overlap with a probability of some 10⁻².
"""

import hashlib
import math

import numpy as np
from numba import njit

_U = np.uint64
_GOLDEN = _U(0x9E3779B97F4A7C15)
_BLOCK = 2048  # numbers that stay in the fastest cache beside the table


def key(*names) -> int:
    """63-bit key of a sequence of names and numbers; equal sequences give equal keys on every machine.

    Not 64: compiled functions take every Python number for a signed one.
    """
    text = "\x1f".join(map(str, names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") & 0x7FFFFFFFFFFFFFFF


@njit(cache=True, forceinline=True)
def _mix(z):
    z = (z ^ (z >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> _U(27))) * _U(0x94D049BB133111EB)
    return z ^ (z >> _U(31))


@njit(cache=True)
def stream(key, item, purpose):
    """State (1,) uint64 of the stream `purpose` of one item."""
    state = np.empty(1, np.uint64)
    state[0] = _mix(_mix(_U(key) + _GOLDEN * (_U(item) + _U(1))) ^ (_U(purpose) * _U(0xD1342543DE82EF95)))
    return state


@njit(cache=True, forceinline=True)
def bits(s):
    """Next 64 random bits."""
    s[0] += _GOLDEN
    return _mix(s[0])


@njit(cache=True, forceinline=True)
def uniform(s):
    """Uniform in (0, 1): never 0, so that its logarithm exists."""
    return (np.float64(np.int64(bits(s) >> _U(12))) + 0.5) * (1.0 / 4503599627370496.0)


def _ziggurat(layers=128, edge=3.442619855899, area=9.91256303526217e-3):
    """Edges of the layers of equal area under the normal density, and the ratio of each to the one below."""
    x = np.zeros(layers + 1)
    density = math.exp(-0.5 * edge * edge)
    x[0], x[1] = area / density, edge
    for i in range(2, layers):
        x[i] = math.sqrt(-2.0 * math.log(area / x[i - 1] + density))
        density = math.exp(-0.5 * x[i] ** 2)
    return x, x[1:] / x[:-1]


_EDGE, _RATIO = _ziggurat()


@njit(cache=True, forceinline=True)
def normal(s):
    """Standard normal number (ziggurat of Marsaglia & Tsang 2000 in the form of Doornik 2005)."""
    while True:
        r = bits(s)
        layer = np.int64(r & _U(127))
        u = np.float64(np.int64(r) >> 11) * (1.0 / 4503599627370496.0)  # in [-1, 1): bits apart from the layer's
        if abs(u) < _RATIO[layer]:
            return u * _EDGE[layer]
        if layer == 0:
            while True:
                x = -math.log(uniform(s)) / _EDGE[1]
                if -2.0 * math.log(uniform(s)) >= x * x:
                    return math.copysign(_EDGE[1] + x, u)
        x = u * _EDGE[layer]
        below = math.exp(-0.5 * (_EDGE[layer] ** 2 - x * x))
        above = math.exp(-0.5 * (_EDGE[layer + 1] ** 2 - x * x))
        if above + uniform(s) * (below - above) < 1.0:
            return x


@njit(cache=True)
def laplace(s, scale):
    """Laplace number of mean 0; variance 2 scale²."""
    u = uniform(s) - 0.5
    return -scale * math.copysign(math.log(1.0 - 2.0 * abs(u)), u)


@njit(cache=True)
def gamma(s, shape):
    """Gamma number of unit scale, shape >= 1 (Marsaglia & Tsang 2000)."""
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(s)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if math.log(uniform(s)) < 0.5 * x * x + d - d * v + d * math.log(v):
                return d * v


@njit(cache=True)
def poisson(s, mean):
    """Poisson number: product of uniform numbers, from a mean of 10 on by rejection (PTRS of Hörmann 1993)."""
    if mean < 10.0:
        n, product, limit = 0, uniform(s), math.exp(-mean)
        while product > limit:
            n += 1
            product *= uniform(s)
        return n
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    while True:
        u, v = uniform(s) - 0.5, uniform(s)
        edge = 0.5 - abs(u)
        n = math.floor((2.0 * a / edge + b) * u + mean + 0.43)
        if edge >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2.0):
            return int(n)
        if n < 0.0 or (edge < 0.013 and v > edge):
            continue
        accepted = math.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (edge * edge) + b))
        if accepted <= n * math.log(mean) - mean - math.lgamma(n + 1.0):
            return int(n)


@njit(cache=True)
def alias_table(p):
    """Walker's alias table of probabilities p (n,), for `draw` (Vose 1991).

    Row i holds a threshold in its upper and an alias in its lower 32 bits.
    """
    n = len(p)
    table = np.empty(n, np.uint64)
    scaled = p * n / p.sum()
    small = np.empty(n, np.int64)
    large = np.empty(n, np.int64)
    n_small = n_large = 0
    for i in range(n):
        table[i] = (_U(0xFFFFFFFF) << _U(32)) | _U(i)
        if scaled[i] < 1.0:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small > 0 and n_large > 0:
        n_small -= 1
        lo, hi = small[n_small], large[n_large - 1]
        table[lo] = (_U(min(scaled[lo] * 4294967296.0, 4294967295.0)) << _U(32)) | _U(hi)
        scaled[hi] -= 1.0 - scaled[lo]
        if scaled[hi] < 1.0:
            n_large -= 1
            small[n_small] = hi
            n_small += 1
    return table


@njit(cache=True, forceinline=True)
def draw(s, table):
    """Index drawn from an alias table.

    The product of 32 random bits with n gives the row (upper half) and what its threshold is compared with (lower
    half). Without a branch, which would be mispredicted every other time.
    """
    product = (bits(s) >> _U(32)) * _U(len(table))
    row = product >> _U(32)
    alias = table[row] & _U(0xFFFFFFFF)
    return np.int64(alias + (row - alias) * _U((product & _U(0xFFFFFFFF)) < (table[row] >> _U(32))))


def pair_table(p, first):
    """Alias table of pairs of independent values first + index, below 65536, of probabilities p (n,), for `fill`.

    Returns
    -------
    (n², 2) uint64: a row's threshold; its own pair in the lower and its alias's in the upper 32 bits, 16 bits a value
    """
    table, value = alias_table(np.outer(p, p).ravel()), np.arange(first, first + len(p)).astype(np.uint64)
    pair = (value[:, None] | value << _U(16)).ravel()
    return np.column_stack([table >> _U(32), pair | pair[table & _U(0xFFFFFFFF)] << _U(32)])


@njit(cache=True, forceinline=True)
def _pair(random, table):
    """Pair at 64 random bits: the upper half gives the row, the lower is compared with its threshold."""
    row = table[((random >> _U(32)) * _U(len(table))) >> _U(32)]
    return row[1] if (random & _U(0xFFFFFFFF)) < row[0] else row[1] >> _U(32)


@njit(cache=True)
def fill(s, out, table):
    """Fill `out` (n,) uint16 from a pair table: two values a random number and a look-up, which costs more than it.

    The numbers of a block are made before any is looked up: on vector registers, which look-ups would keep them from.
    """
    half = len(out) // 2
    random = np.empty(min(half, _BLOCK), np.uint64)
    for first in range(0, half, _BLOCK):
        n, counter = min(half - first, _BLOCK), s[0]
        for i in range(n):
            random[i] = _mix(counter + _GOLDEN * _U(i + 1))
        block = out[2 * first : 2 * (first + n)]
        for i in range(n):
            pair = _pair(random[i], table)
            block[2 * i], block[2 * i + 1] = pair & _U(0xFFFF), pair >> _U(16) & _U(0xFFFF)
        s[0] = counter + _GOLDEN * _U(n)
    if len(out) % 2:
        out[-1] = _pair(bits(s), table) & _U(0xFFFF)
