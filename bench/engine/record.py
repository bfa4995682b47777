"""Records what PyTorch computes for the models of agreement.go, which calls it.

    python record.py '{"case": …, "parameters": {NAME: SHAPE}, "tensors": true, "steps": 300}'

One JSON object comes out. Tensors are computed in float64 from the first weights
and batches that hone writes as float32; "apart" is how far PyTorch's own float32
is from them, as a share of the largest value. The loss curve is in float64 too,
with the same measure. A model is a function of its parameters, by hone's names,
and of the inputs; it returns the logits.
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F


def dense(p, case, x):
    """Convolutions and a pool where there are images; rows of width after width."""
    if "images" in case:
        x = images(p, case["images"], x)
    last = len(case["widths"]) - 1
    for i in range(1, last + 1):
        x = affine(p, f"dense_{i}", x)
        if i < last:
            x = F.relu(x)
    return x


def affine(p, name, x):
    return x @ p[name + "/kernel"] + p[name + "/bias"]


def images(p, m, x):
    """hone has channels last, in images, kernels and what dense layers take."""
    x = x.reshape(-1, m["height"], m["width"], m["channels"]).permute(0, 3, 1, 2)
    for i in range(1, len(m["filters"]) + 1):
        x = F.relu(F.conv2d(x, p[f"conv2d_{i}/kernel"].permute(3, 2, 0, 1), p[f"conv2d_{i}/bias"]))
    return F.max_pool2d(x, m["pool"]).permute(0, 2, 3, 1).flatten(1)


def transformer(p, case, tokens):
    """An encoder that normalises sums, or a language model that normalises what
    goes in and whose table of tokens makes the logits."""
    t = case["transformer"]
    encoder = t["classes"] > 0
    norm = lambda name, x: F.layer_norm(x, (t["width"],), p[name + "/gain"], p[name + "/shift"], 1e-5)
    x = p["table"][tokens] + p["positions_1/table"]
    b, n, w = x.shape

    def attend(part, x):
        q, k, v = affine(p, part + "attention_1/dense_1", x).view(b, n, 3, t["heads"], -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=not encoder)
        return affine(p, part + "attention_1/dense_2", y.transpose(1, 2).reshape(b, n, w))

    for i in range(t["layers"]):
        part = f"transformer_{i + 1}/"
        feed = lambda x, f: affine(p, part + "dense_2", f(affine(p, part + "dense_1", x)))
        if encoder:
            x = norm(part + "layer_norm_1", x + attend(part, x))
            x = norm(part + "layer_norm_2", x + feed(x, F.relu))
        else:
            x = x + attend(part, norm(part + "layer_norm_1", x))
            x = x + feed(norm(part + "layer_norm_2", x), lambda x: F.gelu(x, approximate="tanh"))
    return affine(p, "dense_1", x.mean(1)) if encoder else norm("layer_norm_1", x) @ p["table"].T


MODELS = {"train": dense, "transformer": transformer}  # by the case's kind


def read(case, name, dtype="<f4"):
    return torch.from_numpy(np.fromfile(os.path.join(case["dir"], name), dtype=dtype))


def rows(case):
    """Inputs and targets of all rows."""
    if "transformer" in case:
        t = case["transformer"]
        x, y = read(case, "tokens", "<i4").long().reshape(-1, t["length"]), read(case, "targets", "<i4").long()
        return x, y if t["classes"] else y.reshape(x.shape)
    x = read(case, "x").reshape(case["rows"], -1)
    return x, read(case, "y", "<i4").long() if case["loss"] == "classes" else read(case, "y").reshape(-1, 1)


def batches(case):
    """Inputs and targets of every batch, in the order of hone's first epoch,
    again and again; batches are whole but the last."""
    order = read(case, "order", "<i4").long()
    x, y = rows(case)
    while True:
        for lo in range(0, case["rows"], case["batch"]):
            i = order[lo : lo + case["batch"]]
            yield x[i], y[i]


def loss_of(case, logits, y):
    if y.is_floating_point():
        return F.binary_cross_entropy_with_logits(logits, y)
    return F.cross_entropy(logits.flatten(0, -2), y.flatten())


def run(q, dtype):
    case = q["case"]
    model = MODELS[case["kind"]]
    p = {
        name: read(case, name.replace("/", ".")).reshape(shape).to(dtype).requires_grad_()
        for name, shape in q["parameters"].items()
    }
    adam = torch.optim.Adam(p.values(), lr=case["rate"])
    out = {"curve": []}
    for step, (x, y) in zip(range(q["steps"]), batches(case)):
        x, y = (t.to(dtype) if t.is_floating_point() else t for t in (x, y))
        adam.zero_grad()
        logits = model(p, case, x)
        loss = loss_of(case, logits, y)
        loss.backward()
        if step == 0 and q.get("tensors"):
            out |= {"logits": logits.detach(), "gradients": {name: v.grad.clone() for name, v in p.items()}}
        adam.step()
        out["curve"].append(loss.item())
        if step == 9 and q.get("tensors"):
            out["after"] = {name: v.detach().clone() for name, v in p.items()}
    return out


def apart(a, b):
    scale = b.abs().max().item()
    return (a.double() - b).abs().max().item() / scale if scale else 0.0


def recorded(a, b):
    return {"apart": float(f"{apart(a, b):.2g}"), "floats": [float(f"{v:.8g}") for v in b.flatten().tolist()]}


torch.set_num_threads(1)
q = json.loads(sys.argv[1])
a, b = run(q, torch.float32), run(q, torch.float64)
curves = torch.tensor(a["curve"]), torch.tensor(b["curve"], dtype=torch.float64)
out = {"origin": f"PyTorch {torch.__version__}, bench/engine/record.py", "curve": recorded(*curves)}
if q.get("tensors"):
    out["logits"] = recorded(a["logits"], b["logits"])
    for part in ("gradients", "after"):
        out[part] = {name: recorded(a[part][name], b[part][name]) for name in q["parameters"]}
json.dump(out, sys.stdout, separators=(",", ":"))
