"""Records what PyTorch computes, for the tests of nn, nn/loss and nn/optim.

    pip install torch==2.15.0
    python record.py > pytorch.json

Everything is computed in float64. Only whoever adds a case needs this.
"""

import json
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def record(t):
    t = t.detach()
    if t.is_sparse:
        t = t.to_dense()
    if t.dtype == torch.int64:
        return {"shape": list(t.shape), "ints": t.flatten().tolist()}
    return {"shape": list(t.shape), "floats": [float(f"{v:.9g}") for v in t.flatten().tolist()]}


def records(tensors):
    return {name: record(t) for name, t in tensors.items()}


# Layers: output and gradients of sum(output * upstream), for given parameters.

layers = []


def layer(name, f, x, params=None, stats=None, training=True):
    """f(x, params, stats) -> (output, stats afterwards or None)."""
    params = {k: v.clone().requires_grad_() for k, v in (params or {}).items()}
    x = x.clone()
    if x.is_floating_point():
        x.requires_grad_()
    y, after = f(x, params, stats)
    upstream = torch.randn(y.shape)
    (y * upstream).sum().backward()
    grads = {k: v.grad for k, v in params.items()}
    if x.is_floating_point():
        grads["x"] = x.grad
    layers.append({
        "name": name, "training": training, "x": record(x), "params": records(params),
        "stats": records(stats or {}), "upstream": record(upstream), "output": record(y),
        "grads": records(grads), "after": records(after or {}),
    })


def plain(f):
    return lambda x, p, s: (f(x), None)


x = torch.randn(5, 4) * 2
for name, f in {
    "linear": lambda x: x * 1, "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    "softplus": F.softplus, "softmax": lambda x: F.softmax(x, -1), "leaky_relu": F.leaky_relu,
    "elu": F.elu, "silu": F.silu, "gelu": F.gelu,
}.items():
    layer(name, plain(f), x)


def dense(x, p, prefix="dense_1/"):
    y = x @ p[prefix + "kernel"]
    return y + p[prefix + "bias"] if prefix + "bias" in p else y


def dense_params(n, units, prefix="dense_1/"):
    return {prefix + "kernel": torch.randn(n, units), prefix + "bias": torch.randn(units)}


layer("dense", lambda x, p, s: (torch.tanh(dense(x, p)), None), torch.randn(6, 3), dense_params(3, 4))
layer("dense_rank_3", lambda x, p, s: (F.relu(dense(x, p)), None), torch.randn(4, 2, 3), dense_params(3, 5))
layer("dense_no_bias", lambda x, p, s: (dense(x, p), None), torch.randn(4, 3),
      {"dense_1/kernel": torch.randn(3, 2)})

norm = {"layer_norm_1/gain": torch.randn(5), "layer_norm_1/shift": torch.randn(5)}
layer("layer_norm", lambda x, p, s: (
    F.layer_norm(x, (5,), p["layer_norm_1/gain"], p["layer_norm_1/shift"], 1e-5), None),
    torch.randn(3, 2, 5) * 3 + 1, norm)


def batch_norm(training, momentum, eps):
    """momentum is the share that a batch replaces; the running variance moves
    by the batch's own variance, not by PyTorch's unbiased one."""
    def f(x, p, s):
        flat = x.reshape(-1, x.shape[-1])
        gain, shift = p["batch_norm_1/gain"], p["batch_norm_1/shift"]
        mean, var = s["batch_norm_1/mean"].clone(), s["batch_norm_1/variance"].clone()
        y = F.batch_norm(flat, mean, var, gain, shift, training, momentum, eps)
        if training:
            var = (1 - momentum) * s["batch_norm_1/variance"] + momentum * flat.var(0, unbiased=False)
        return y.reshape(x.shape), {"batch_norm_1/mean": mean, "batch_norm_1/variance": var}
    return f


norm = {"batch_norm_1/gain": torch.randn(4), "batch_norm_1/shift": torch.randn(4)}
stats = {"batch_norm_1/mean": torch.randn(4), "batch_norm_1/variance": torch.rand(4) + 0.5}
x = torch.randn(7, 4) * 2 + 1
layer("batch_norm", batch_norm(True, 0.1, 1e-5), x, norm, stats)
layer("batch_norm", batch_norm(False, 0.1, 1e-5), x, norm, stats, training=False)
layer("batch_norm_options", batch_norm(True, 0.25, 1e-2), torch.randn(3, 2, 4), norm, stats)

layer("embedding", lambda x, p, s: (F.embedding(x, p["embedding_1/table"]), None),
      torch.tensor([[0, 3], [3, 1], [4, 3]]), {"embedding_1/table": torch.randn(6, 2)})

layer("residual", lambda x, p, s: (x + dense(torch.relu(dense(x, p, "residual_1/dense_1/")), p, "residual_1/dense_2/"), None),
      torch.randn(4, 3), dense_params(3, 5, "residual_1/dense_1/") | dense_params(5, 3, "residual_1/dense_2/"))


# Losses: one number a row, and the gradient of their mean.

losses = []


def loss(name, f, pred, target, probabilities=None, smoothing=0.0):
    """pred are logits where probabilities, a function of them, is given."""
    out = {"name": name, "pred": record(pred), "target": record(target), "smoothing": smoothing}
    pred = pred.clone().requires_grad_()
    rows = f(pred, target)
    rows.mean().backward()
    out |= {"loss": record(rows), "grad": record(pred.grad)}
    if probabilities:
        out["probabilities"] = record(probabilities(pred))
    losses.append(out)


def per_row(f, **options):
    return lambda p, y: f(p, y, reduction="none", **options).flatten(1).mean(1)


p, y = torch.randn(6, 1) * 2, torch.randn(6, 1)
wide_p, wide_y = torch.randn(4, 3) * 2, torch.randn(4, 3)
for a, b in [(p, y), (wide_p, wide_y), (p, y[:, 0])]:
    same = lambda f: lambda p, y: f(p, y.reshape(p.shape))
    loss("mean_squared_error", same(per_row(F.mse_loss)), a, b)
    loss("half_squared_error", same(lambda p, y: 0.5 * ((p - y) ** 2).sum(1)), a, b)
    loss("mean_absolute_error", same(per_row(F.l1_loss)), a, b)
    loss("huber", same(per_row(F.huber_loss, delta=1.0)), a, b)

binary = torch.tensor([[1.0], [0.0], [1.0], [0.25], [0.0], [1.0]])
wide_binary = (torch.rand(4, 3) > 0.5).double()
for smoothing in [0.0, 0.2]:
    for a, b in [(p, binary), (wide_p, wide_binary), (p, binary[:, 0])]:
        loss("binary_crossentropy", lambda p, y: F.binary_cross_entropy_with_logits(
            p, y.reshape(p.shape) * (1 - smoothing) + smoothing / 2, reduction="none").mean(1),
            a, b, torch.sigmoid, smoothing)
    classes = torch.tensor([2, 0, 1, 2])
    softmax = lambda p: F.softmax(p, -1)
    cross = lambda p, y: F.cross_entropy(p, y, reduction="none", label_smoothing=smoothing)
    loss("sparse_categorical_crossentropy", cross, wide_p, classes, softmax, smoothing)
    loss("categorical_crossentropy", cross, wide_p, F.one_hot(classes, 3).double(), softmax, smoothing)
    loss("categorical_crossentropy", cross, wide_p, torch.tensor(
        [[0.2, 0.3, 0.5], [1, 0, 0], [0, 0.5, 0.5], [0.9, 0.1, 0]]), softmax, smoothing)
    # A sequence of three steps a row: PyTorch wants the classes second.
    logits, classes = torch.randn(2, 3, 4), torch.tensor([[1, 3, 0], [2, 2, 1]])
    loss("sparse_categorical_crossentropy", lambda p, y: F.cross_entropy(
        p.movedim(-1, 1), y, reduction="none", label_smoothing=smoothing).mean(1), logits, classes, softmax, smoothing)


# Optimisers: a network's parameters after each of some steps.
# embedding (7 vectors of 3) of two indices a row, flattened, dense 4 tanh,
# dense 2, mean squared error.

STEPS, ROWS = 6, 4
indices = torch.randint(0, 7, (STEPS, ROWS, 2))
indices[:, :, 1] = indices[:, :1, 0]  # repeats within a batch
targets = torch.randn(STEPS, ROWS, 2) * 3
rates = [0.05 * (1 - 0.1 * i) for i in range(STEPS)]
first = {
    "embedding_1/table": torch.randn(7, 3), "dense_1/kernel": torch.randn(6, 4), "dense_1/bias": torch.randn(4),
    "dense_2/kernel": torch.randn(4, 2), "dense_2/bias": torch.randn(2),
}
# Small enough that no tanh saturates: Adam divides gradients by their size,
# and so the rounding errors of small ones.
first = {k: v * 0.4 for k, v in first.items()}
optimizers = []


def optimizer(name, make, sparse=False, treat=None, combine=1):
    """make(matrices, biases, table) -> optimisers; treat(parameters, rate)
    changes gradients; gradients of combine batches are averaged."""
    p = {k: v.clone().requires_grad_() for k, v in first.items()}
    opts = make([p["dense_1/kernel"], p["dense_2/kernel"]], [p["dense_1/bias"], p["dense_2/bias"]], [p["embedding_1/table"]])
    steps = []
    for i in range(0, STEPS, combine):
        for o in opts:
            o.zero_grad()
        for j in range(i, i + combine):
            h = F.embedding(indices[j], p["embedding_1/table"], sparse=sparse).reshape(ROWS, 6)
            h = dense(torch.tanh(dense(h, p)), p, "dense_2/")
            (F.mse_loss(h, targets[j]) / combine).backward()
        if treat:
            treat(list(p.values()), rates[i])
        for o in opts:
            for g in o.param_groups:
                g["lr"] = rates[i]
            o.step()
        steps.append(records(p))
    optimizers.append({"name": name, "sparse": sparse, "combine": combine, "steps": steps})


def decay_touched(p, rate):
    """What AdamW does to the rows of a table that a batch touched."""
    table = p[0]
    table.data[table.grad.coalesce().indices()[0]] *= 1 - rate * 0.3


O = torch.optim
everything = lambda make: lambda m, b, t: [make(m + b + t)]
norm_of = torch.nn.utils.clip_grad_norm_
optimizer("sgd", everything(lambda p: O.SGD(p)), sparse=True)
optimizer("sgd", everything(lambda p: O.SGD(p)))
optimizer("momentum", everything(lambda p: O.SGD(p, momentum=0.9)))
optimizer("nesterov", everything(lambda p: O.SGD(p, momentum=0.9, nesterov=True)))
optimizer("adam", lambda m, b, t: [O.Adam(m + b), O.SparseAdam(t)], sparse=True)
optimizer("adam", everything(lambda p: O.Adam(p)))
optimizer("adam_options", everything(lambda p: O.Adam(p, betas=(0.5, 0.9), eps=1e-2)))
optimizer("adamw", lambda m, b, t: [O.AdamW(m, weight_decay=0.3), O.Adam(b), O.SparseAdam(t)], sparse=True, treat=decay_touched)
optimizer("adamw", lambda m, b, t: [O.AdamW(m + t, weight_decay=0.3), O.Adam(b)])
optimizer("adamw_all", everything(lambda p: O.AdamW(p, weight_decay=0.3)))
optimizer("l2", lambda m, b, t: [O.SGD(m + t, weight_decay=0.2), O.SGD(b)])
for sparse in [False, True]:
    # PyTorch clips no sparse gradients, and for SGD they are no different.
    first_clip = len(optimizers)
    optimizer("clip_norm", everything(lambda p: O.SGD(p)), treat=lambda p, _: norm_of(p, 0.7))
    optimizer("clip_parameter", everything(lambda p: O.SGD(p)), treat=lambda p, _: [norm_of([q], 0.3) for q in p])
    optimizer("clip_value", everything(lambda p: O.SGD(p)), treat=lambda p, _: torch.nn.utils.clip_grad_value_(p, 0.1))
    for o in optimizers[first_clip:]:
        o["sparse"] = sparse
optimizer("adam", everything(lambda p: O.Adam(p)), combine=3)

# Schedules: the factors of an optimiser's learning rate.

schedules = {}


def schedule(name, make, steps=20, values=None):
    o = O.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    s = make(o)
    factors = []
    for i in range(steps):
        factors.append(o.param_groups[0]["lr"])
        o.step()
        s.step(*([values[i]] if values else []))
    schedules[name] = factors


values = [1, 0.9, 0.95, 0.95, 0.91, 0.8, 0.85, 0.8, 0.79, 0.81, 0.82, 0.83, 0.84, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
schedule("cosine", lambda o: O.lr_scheduler.CosineAnnealingLR(o, T_max=20, eta_min=0.1))
schedule("step", lambda o: O.lr_scheduler.StepLR(o, step_size=6, gamma=0.5))
schedule("exponential", lambda o: O.lr_scheduler.ExponentialLR(o, gamma=0.9))
schedule("warm_up", lambda o: O.lr_scheduler.LinearLR(o, start_factor=1 / 5, total_iters=4))
schedule("plateau", lambda o: O.lr_scheduler.ReduceLROnPlateau(
    o, factor=0.5, patience=2, threshold=0.05, threshold_mode="abs", min_lr=0.2), values=values)

# Convolutions and pools, which come after all else so that what is above keeps
# its numbers. PyTorch has the channels second and kernels [out in h w].

torch.manual_seed(2)


def second(x):
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def conv_params(*kernel, kind="conv2d_1/"):
    return {kind + "kernel": torch.randn(*kernel), kind + "bias": torch.randn(kernel[-1])}


def conv(kind="conv2d_1/", activation=lambda y: y, before=lambda x: x, **options):
    def f(x, p, s):
        k = p[kind + "kernel"]
        k = k.movedim((-1, -2), (0, 1))
        of = F.conv2d if k.dim() == 4 else F.conv1d
        return activation(last(of(before(second(x)), k, p[kind + "bias"], **options))), None
    return f


def pooled(f):
    return plain(lambda x: last(f(second(x))))


layer("conv2d", conv(activation=F.relu), torch.randn(2, 5, 6, 3), conv_params(3, 2, 3, 4))
layer("conv2d_same_strides", conv(stride=(2, 3), before=lambda x: F.pad(x, (0, 0, 1, 1))), torch.randn(2, 5, 6, 2), conv_params(3, 3, 2, 3))
layer("conv2d_pad", conv(padding=(1, 2)), torch.randn(2, 4, 3, 2), conv_params(2, 3, 2, 2))
layer("conv1d", conv("conv1d_1/", torch.tanh), torch.randn(3, 7, 2), conv_params(3, 2, 4, kind="conv1d_1/"))
x = torch.randn(2, 5, 6, 3)
layer("max_pool", pooled(lambda x: F.max_pool2d(x, 2)), x)
layer("max_pool_overlapping", pooled(lambda x: F.max_pool2d(x, 3, 2, 1)), x)
layer("avg_pool", pooled(lambda x: F.avg_pool2d(x, (2, 3), count_include_pad=False)), x)
layer("avg_pool_pad", pooled(lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)), x)
layer("max_pool1d", pooled(lambda x: F.max_pool1d(x, 2)), torch.randn(2, 7, 3))
layer("global_avg_pool", plain(lambda x: x.mean((1, 2))), x)
layer("global_max_pool", plain(lambda x: x.amax((1, 2))), x)
norm = {"batch_norm_1/gain": torch.randn(4), "batch_norm_1/shift": torch.randn(4)}
stats = {"batch_norm_1/mean": torch.randn(4), "batch_norm_1/variance": torch.rand(4) + 0.5}
layer("batch_norm", batch_norm(True, 0.1, 1e-5), torch.randn(2, 3, 2, 4), norm, stats)

json.dump({
    "origin": f"PyTorch {torch.__version__}, nn/testdata/record.py",
    "layers": layers, "losses": losses,
    "optimizers": {"indices": record(indices), "targets": record(targets), "rates": rates, "first": records(first), "cases": optimizers},
    "schedules": {"factors": schedules, "values": values},
}, sys.stdout, indent=None, separators=(",", ":"))
print()
