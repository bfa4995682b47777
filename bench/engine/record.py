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
    last = len(case["widths"]) - 1
    for i in range(1, last + 1):
        x = x @ p[f"dense_{i}/kernel"] + p[f"dense_{i}/bias"]
        if i < last:
            x = F.relu(x)
    return x


def transformer(p, case, tokens):
    t = case["transformer"]
    heads, classes, w = t["heads"], t["classes"], t["width"]
    linear = lambda name, x: x @ p[name + "/kernel"] + p[name + "/bias"]
    norm = lambda name, x: F.layer_norm(x, (w,), p[name + "/gain"], p[name + "/shift"])

    def attend(part, x):
        b, n, _ = x.shape
        q, k, v = linear(part + "dense_1", x).view(b, n, 3, heads, w // heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=not classes)
        return linear(part + "dense_2", y.transpose(1, 2).reshape(b, n, w))

    x = p["table"][tokens] + p["positions_1/table"]
    for i in range(1, t["layers"] + 1):
        part = f"transformer_{i}/"
        if classes:
            x = norm(part + "layer_norm_1", x + attend(part + "attention_1/", x))
            x = norm(part + "layer_norm_2", x + linear(part + "dense_2", F.relu(linear(part + "dense_1", x))))
        else:
            x = x + attend(part + "attention_1/", norm(part + "layer_norm_1", x))
            h = F.gelu(linear(part + "dense_1", norm(part + "layer_norm_2", x)), approximate="tanh")
            x = x + linear(part + "dense_2", h)
    if classes:
        return linear("dense_1", x.mean(1))
    return norm("layer_norm_1", x) @ p["table"].t()


MODELS = {"train": dense, "transformer": transformer}  # by the case's kind


def read(case, name, dtype="<f4"):
    return torch.from_numpy(np.fromfile(os.path.join(case["dir"], name), dtype=dtype))


def batches(case):
    """Inputs and targets of every batch, in the order of hone's first epoch,
    again and again; batches are whole but the last."""
    order = read(case, "order", "<i4").long()
    if case["kind"] == "transformer":
        x, y = (read(case, name, "<i4").long().reshape(case["rows"], -1) for name in ("tokens", "targets"))
    else:
        x, y = read(case, "x").reshape(case["rows"], -1), examples(case)
    while True:
        for lo in range(0, case["rows"], case["batch"]):
            i = order[lo : lo + case["batch"]]
            yield x[i], y[i]


def examples(case):
    return read(case, "y", "<i4").long() if case["loss"] == "classes" else read(case, "y").reshape(-1, 1)


def loss_of(case, logits, y):
    if case.get("loss") != "binary":
        return F.cross_entropy(logits.flatten(0, -2), y.flatten())
    return F.binary_cross_entropy_with_logits(logits, y)


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
