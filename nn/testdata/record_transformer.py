"""Records what PyTorch's transformer layers compute, for the tests of nn.

    pip install torch==2.15.0
    python record_transformer.py > transformer.json

Everything is computed in float64. Only whoever adds a case needs this.
"""

import json
import sys

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
ROWS, LENGTH, WIDTH, HEADS, HIDDEN = 3, 5, 8, 2, 12


def record(t):
    t = t.detach()
    if t.dtype in (torch.int32, torch.int64):
        return {"shape": list(t.shape), "ints": t.flatten().tolist()}
    return {"shape": list(t.shape), "floats": [float(f"{v:.9g}") for v in t.flatten().tolist()]}


layers = []


def layer(name, f, params, lengths=None):
    """f(x, padding) -> output; params are hone's names with PyTorch's parameters,
    whose matrices hone has transposed."""
    turn = lambda t: t.t() if t.dim() == 2 and "table" not in name else t
    x = torch.randn(ROWS, LENGTH, WIDTH, requires_grad=True)
    padding = None
    if lengths is not None:
        padding = torch.arange(LENGTH)[None, :] >= lengths[:, None]
    y = f(x, padding)
    upstream = torch.randn(y.shape)
    (y * upstream).sum().backward()
    grads = {k: record(turn(v.grad)) for k, v in params.items()} | {"x": record(x.grad)}
    case = {"name": name, "training": True, "x": record(x), "params": {k: record(turn(v)) for k, v in params.items()},
            "upstream": record(upstream), "output": record(y), "grads": grads}
    if lengths is not None:
        case["lengths"] = record(lengths)
    layers.append(case)


def encoder(name, causal=False, lengths=None, **options):
    part = nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, dropout=0, batch_first=True, **options)
    with torch.no_grad():
        for p in part.parameters():
            p.copy_(torch.randn(p.shape) * 0.5)
    mask = nn.Transformer.generate_square_subsequent_mask(LENGTH) if causal else None
    a, t = part.self_attn, "transformer_1/"
    params = {
        t + "attention_1/dense_1/kernel": a.in_proj_weight, t + "attention_1/dense_1/bias": a.in_proj_bias,
        t + "attention_1/dense_2/kernel": a.out_proj.weight, t + "attention_1/dense_2/bias": a.out_proj.bias,
        t + "dense_1/kernel": part.linear1.weight, t + "dense_1/bias": part.linear1.bias,
        t + "dense_2/kernel": part.linear2.weight, t + "dense_2/bias": part.linear2.bias,
        t + "layer_norm_1/gain": part.norm1.weight, t + "layer_norm_1/shift": part.norm1.bias,
        t + "layer_norm_2/gain": part.norm2.weight, t + "layer_norm_2/shift": part.norm2.bias,
    }
    layer(name, lambda x, padding: part(x, src_mask=mask, src_key_padding_mask=padding, is_causal=causal and padding is None), params, lengths)


some = torch.tensor([4, 1, 5], dtype=torch.int32)
encoder("post_norm")
encoder("post_norm", lengths=some)
encoder("norm_first", activation="gelu", norm_first=True)
encoder("causal", causal=True, activation=lambda x: F.gelu(x, approximate="tanh"), norm_first=True)

norm = nn.RMSNorm(WIDTH, eps=1e-5)
with torch.no_grad():
    norm.weight.copy_(torch.randn(WIDTH))
layer("rms_norm", lambda x, _: norm(x), {"rms_norm_1/gain": norm.weight})
table = nn.Parameter(torch.randn(7, WIDTH))
layer("positions table", lambda x, _: x + table[:LENGTH], {"positions_1/table": table})
layer("mean_pool", lambda x, _: x.mean(1), {})
layer("mean_pool", lambda x, padding: (x * ~padding[:, :, None]).sum(1) / some[:, None], {}, some)
layer("first_place", lambda x, _: x[:, 0], {})

json.dump({"origin": f"PyTorch {torch.__version__}, nn/testdata/record_transformer.py", "layers": layers}, sys.stdout, separators=(",", ":"))
print()
