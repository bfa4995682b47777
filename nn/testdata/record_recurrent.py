"""Records what PyTorch's GRU and LSTM make of padded sequences, and their gradients.

python record_recurrent.py > recurrent.json   (PyTorch 2.15)

Weights are in hone's order and layout: the input's kernel [width, gates·units] and bias for
candidate, reset, update (GRU) or input, forget, candidate, output (LSTM); the state's
[units, gates·units] for reset, update, candidate (GRU), or as the input's.
"""
import json
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
rows, length, width, units = 4, 6, 3, 5
lengths = torch.tensor([6, 1, 4, 5])
out = {"rows": rows, "length": length, "width": width, "units": units, "lengths": lengths.tolist()}
x = torch.randn(rows, length, width)
out["x"] = x.flatten().tolist()


def order(w, names):  # PyTorch has reset, update, candidate
    parts = dict(zip("rzn", w.chunk(3)))
    return torch.cat([parts[n] for n in names])


for kind in ("gru", "lstm"):
    net = (torch.nn.GRU if kind == "gru" else torch.nn.LSTM)(width, units, batch_first=True, bidirectional=True)
    case = {}
    xs = x.clone().requires_grad_()
    for way, suffix in (("forward", ""), ("backward", "_reverse")):
        p = {n: getattr(net, n + "_l0" + suffix) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        p["bias_hh"].data.zero_()
        a, b, h = p["weight_ih"].data, p["bias_ih"].data, p["weight_hh"].data
        if kind == "gru":
            a, b = order(a, "nrz"), order(b, "nrz")
        case[way] = {"kernel": a.T.flatten().tolist(), "bias": b.tolist(), "recurrent": h.T.flatten().tolist()}
    y, _ = net(pack_padded_sequence(xs, lengths, batch_first=True, enforce_sorted=False))
    y, _ = pad_packed_sequence(y, batch_first=True, total_length=length)
    w = torch.linspace(-1, 1, y.numel()).reshape(y.shape)
    (y * w).sum().backward()
    for way, suffix in (("forward", ""), ("backward", "_reverse")):
        a, b, h = (getattr(net, n + "_l0" + suffix).grad for n in ("weight_ih", "bias_ih", "weight_hh"))
        if kind == "gru":
            a, b = order(a, "nrz"), order(b, "nrz")
        case[way]["gradients"] = {"kernel": a.T.flatten().tolist(), "bias": b.tolist(), "recurrent": h.T.flatten().tolist()}
    case["y"], case["dx"] = y.flatten().tolist(), xs.grad.flatten().tolist()
    out[kind] = case
print(json.dumps(out))
