"""One peer of hone's engine: answers requests, a JSON object a line, on stdin.

    python peers.py NAME THREADS

NAME is a key of PEERS. The first line out is {"version": …}; then one line for
every request (worker.go says what requests are). What libraries print goes to
stderr. Exit code 3: a package is missing.

Every peer gets the same data, first weights and order of rows, from files, and
whatever makes it faster that a user would reach for: fused Adam, jit of the
whole step, results written into place, the loss fetched after the last step only.
"""
import json
import os
import sys
import time

NAME, THREADS = sys.argv[1], int(sys.argv[2])
for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):  # read when numpy is imported
    os.environ[name + "_NUM_THREADS"] = str(THREADS)
if NAME == "jax":
    os.environ["JAX_PLATFORMS"] = "cpu"
    if hasattr(os, "sched_setaffinity"):  # by which XLA counts its threads
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
out, sys.stdout = sys.stdout, sys.stderr


def read(case, name, *shape, dtype="<f4"):
    return np.fromfile(os.path.join(case["dir"], name), dtype=dtype).reshape(shape)


def operands(case):
    a, b = read(case, "a", -1), read(case, "b", -1)
    m, n, k = case["m"], case["n"], case["k"]
    a = a.reshape(k, m).T if case.get("trans_a") else a.reshape(m, k)
    b = b.reshape(n, k).T if case.get("trans_b") else b.reshape(k, n)
    return a, b


def dense(case):
    """The kernels [in, out] and biases of the layers."""
    widths = case["widths"]
    return [
        (read(case, f"dense_{i + 1}.kernel", n, m), read(case, f"dense_{i + 1}.bias", m))
        for i, (n, m) in enumerate(zip(widths, widths[1:]))
    ]


def convolutions(case):
    """The kernels [height width in out] and biases of the layers."""
    m = case["images"]
    sizes = [m["channels"], *m["filters"]]
    return [
        (read(case, f"conv2d_{i + 1}.kernel", m["kernel"], m["kernel"], a, b), read(case, f"conv2d_{i + 1}.bias", b))
        for i, (a, b) in enumerate(zip(sizes, sizes[1:]))
    ]


def features(case):
    """The inputs, a row each: numbers, or images with the channels last."""
    m = case.get("images")
    return read(case, "x", -1, *((m["height"], m["width"], m["channels"]) if m else (case["widths"][0],)))


def targets(case):
    if case.get("loss") == "classes":
        return read(case, "y", -1, dtype="<i4")
    return read(case, "y", -1, 1)


def starts(case):
    """The first row of every batch, in turn for ever. Batches are whole: an
    epoch ends where the next would not be."""
    while True:
        yield from range(0, case["rows"] - case["batch"] + 1, case["batch"])


class Numpy:
    def __init__(self):
        self.version = f"numpy {np.__version__}"

    def product(self, case):
        a, b = operands(case)
        c = np.empty((case["m"], case["n"]), np.float32)
        return lambda: np.matmul(a, b, out=c), lambda: None, c.ravel


class Torch:
    compiled = False

    def __init__(self):
        global torch, nn, F
        import torch
        from torch import nn
        from torch.nn import functional as F

        torch.set_num_threads(THREADS)
        self.version = f"torch {torch.__version__}"

    def compile(self, f):
        return torch.compile(f, dynamic=False) if self.compiled else f

    def product(self, case):
        a, b = operands(case)
        a, b = torch.from_numpy(np.ascontiguousarray(a.T)).t() if case.get("trans_a") else torch.from_numpy(a), (
            torch.from_numpy(np.ascontiguousarray(b.T)).t() if case.get("trans_b") else torch.from_numpy(b)
        )
        c = torch.empty(case["m"], case["n"])
        torch.set_grad_enabled(False)
        return lambda: torch.mm(a, b, out=c), lambda: None, lambda: c.numpy().ravel()

    def network(self, case):
        layers = []
        for kernel, bias in dense(case):
            layer = nn.Linear(*kernel.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias))
            layers += [layer, nn.ReLU()]
        return nn.Sequential(*self.convolutions(case), *layers[:-1])

    def convolutions(self, case):
        """With the channels last in memory, as the data has them: faster here than
        first, also for predictions, and the dense layer's weights are as they are."""
        if "images" not in case:
            return []
        layers = []
        for kernel, bias in convolutions(case):
            layer = nn.Conv2d(*kernel.shape[2:], kernel.shape[0])
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
                layer.bias.copy_(torch.from_numpy(bias))
            layers += [layer.to(memory_format=torch.channels_last), nn.ReLU()]

        class Rows(nn.Module):
            def forward(self, x):
                return x.permute(0, 2, 3, 1).flatten(1)

        return [*layers, nn.MaxPool2d(case["images"]["pool"]), Rows()]

    def features(self, case):
        x = torch.from_numpy(features(case))
        return x.permute(0, 3, 1, 2) if "images" in case else x

    def predict_transformer(self, case):
        return self.prediction(torch_transformer(case), torch.from_numpy(sequences(case)[0][: case["batch"]]).long())

    def predict_layers(self, case):
        return self.prediction(self.network(case), self.features(case)[: case["batch"]])

    def prediction(self, net, x):
        net = self.compile(net.eval())
        last = [None]

        def step():
            with torch.inference_mode():
                last[0] = net(x)

        return step, lambda: None, lambda: last[0].numpy().ravel()

    def train_transformer(self, case, exact):
        net = torch_transformer(case)
        data = [torch.from_numpy(x).long() for x in sequences(case)]
        loss_of = lambda tokens, y: F.cross_entropy(net(tokens).flatten(0, -2), y.flatten())
        optimizer = torch.optim.Adam(net.parameters(), lr=case["rate"], fused=True)
        return self.training(case, data, self.compile(loss_of), optimizer)

    def train_layers(self, case, exact):
        net = self.network(case)
        x, y = self.features(case), torch.from_numpy(targets(case))
        if case["loss"] == "classes":
            y, loss_of = y.long(), lambda x, y: F.cross_entropy(net(x), y)
        else:
            loss_of = lambda x, y: F.binary_cross_entropy_with_logits(net(x), y)
        optimizer = torch.optim.Adam(net.parameters(), lr=case["rate"], fused=True)
        return self.training(case, [x, y], self.compile(loss_of), optimizer)

    def training(self, case, data, loss_of, optimizer):
        order = torch.from_numpy(read(case, "order", -1, dtype="<i4")).long()
        start, size, loss = starts(case), case["batch"], [None]

        def step():
            lo = next(start)
            index = order[lo : lo + size]
            batch = [t.index_select(0, index) for t in data]
            optimizer.zero_grad(set_to_none=True)
            loss[0] = loss_of(*batch)
            loss[0].backward()
            optimizer.step()

        return step, lambda: float(loss[0].detach())

    def train_table(self, case, exact):
        net = table(case, 0 if exact else case["table"]["dropout"])
        k = len(case["table"]["categories"])
        numbers = torch.from_numpy(read(case, "x", -1, len(case["table"]["edges"])))
        codes = torch.from_numpy(read(case, "codes", -1, k, dtype="<i4")).long()
        y = torch.from_numpy(targets(case))

        def loss_of(numbers, codes, y):
            logits = net(numbers, codes)
            return F.binary_cross_entropy_with_logits(logits, y[:, None, :].expand_as(logits))

        decayed = [p for p in net.parameters() if p.dim() > 1]
        others = [p for p in net.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": case["table"]["decay"]}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=case["rate"], fused=True)
        return self.training(case, [numbers, codes, y], self.compile(loss_of), optimizer)


    sparse = True  # gradients of a bag's table

    def train_bag(self, case, exact):
        table, kernel, bias = bag(case)
        vectors = nn.EmbeddingBag.from_pretrained(torch.from_numpy(table), freeze=False, mode="mean", sparse=self.sparse)
        last = nn.Linear(*kernel.shape)
        with torch.no_grad():
            last.weight.copy_(torch.from_numpy(kernel.T.copy()))
            last.bias.copy_(torch.from_numpy(bias))
        x, y = torch.from_numpy(read(case, "x", -1, case["bag"]["length"], dtype="<i4")), torch.from_numpy(targets(case)).long()
        rate, rest = case["rate"], list(last.parameters())
        if self.sparse:
            optimizer = Both(torch.optim.SparseAdam(vectors.parameters(), lr=rate), torch.optim.Adam(rest, lr=rate, fused=True))
        else:
            optimizer = torch.optim.Adam(list(vectors.parameters()) + rest, lr=rate, fused=True)
        return self.training(case, [x, y], lambda x, y: F.cross_entropy(last(vectors(x)), y), optimizer)


class Both:
    """Two optimisers as one."""

    def __init__(self, *all):
        self.all = all

    def zero_grad(self, **options):
        for o in self.all:
            o.zero_grad(**options)

    def step(self):
        for o in self.all:
            o.step()


class Dense(Torch):
    sparse = False


class Compiled(Torch):
    compiled = True


def bag(case):
    """The table of a classifier of n-grams, and the kernel and bias of its layer."""
    b = case["bag"]
    return (
        read(case, "embedding_bag_1.table", b["buckets"], b["width"]),
        read(case, "dense_1.kernel", b["width"], b["classes"]),
        read(case, "dense_1.bias", b["classes"]),
    )


def table(case, dropout):
    """The tabular network. The numbers' embeddings are computed together, their
    pieces filled up to those of the number that has most."""
    spec = case["table"]
    edges, dim, members = spec["edges"], spec["dimension"], spec["members"]
    pieces = max(len(e) for e in edges) - 1
    low, high = np.zeros((len(edges), pieces), np.float32), np.zeros((len(edges), pieces), np.float32)
    begin, scale = low.copy(), low.copy()
    kernel = np.zeros((len(edges), pieces, dim), np.float32)
    slope, shift = np.zeros((len(edges), dim), np.float32), np.zeros((len(edges), dim), np.float32)
    for i, e in enumerate(edges):
        n, e = len(e) - 1, np.array(e)
        begin[i, :n], scale[i, :n], high[i, :n] = e[:-1], 1 / np.diff(e), 1
        low[i, 0], high[i, n - 1] = -np.finfo(np.float32).max, np.finfo(np.float32).max
        part = f"input.number_{i}.piecewise_linear_1."
        kernel[i, :n] = read(case, part + "kernel", n, dim)
        slope[i], shift[i] = read(case, part + "slope", dim), read(case, part + "bias", dim)

    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            for name, v in {"begin": begin, "scale": scale, "low": low, "high": high}.items():
                self.register_buffer(name, torch.from_numpy(v))
            self.kernel, self.slope = nn.Parameter(torch.from_numpy(kernel)), nn.Parameter(torch.from_numpy(slope))
            # a vector, so that it is not decayed
            self.shift = nn.Parameter(torch.from_numpy(shift.ravel()))
            self.vectors = nn.ModuleList(
                nn.Embedding.from_pretrained(
                    torch.from_numpy(read(case, f"input.category_{i}.embedding_1.table", n, d)), freeze=False
                )
                for i, (n, d) in enumerate(spec["categories"])
            )
            width = len(edges) * dim + sum(d for _, d in spec["categories"])
            self.members = nn.Parameter(torch.from_numpy(read(case, "network.members_1.scale", members, width)))
            layers = []
            for i, w in enumerate(spec["widths"]):
                layer = nn.Linear(width, w)
                with torch.no_grad():
                    layer.weight.copy_(torch.from_numpy(read(case, f"network.dense_{i + 1}.kernel", width, w).T.copy()))
                    layer.bias.copy_(torch.from_numpy(read(case, f"network.dense_{i + 1}.bias", w)))
                layers += [layer, nn.ReLU(), nn.Dropout(dropout)]
                width = w
            self.layers = nn.Sequential(*layers)
            self.head = nn.Parameter(torch.from_numpy(read(case, "output.y.dense_members_1.kernel", members, width)))
            self.bias = nn.Parameter(torch.from_numpy(read(case, "output.y.dense_members_1.bias", members, 1)))

        def forward(self, numbers, codes):
            x = numbers[:, :, None]
            p = ((x - self.begin) * self.scale).clamp(self.low, self.high)
            y = torch.bmm(p.transpose(0, 1), self.kernel).transpose(0, 1) + x * self.slope
            y = y.flatten(1) + self.shift
            h = torch.cat([y] + [v(codes[:, i]) for i, v in enumerate(self.vectors)], 1)
            h = self.layers(h[:, None, :] * self.members)
            return (h * self.head).sum(-1, keepdim=True) + self.bias

    return Table()


def sequences(case):
    t = case["transformer"]
    tokens, targets = read(case, "tokens", -1, t["length"], dtype="<i4"), read(case, "targets", -1, dtype="<i4")
    return tokens, targets if t["classes"] else targets.reshape(-1, t["length"])


def parameters(case):
    """A transformer's parameters by hone's names; kernels are [in, out]."""
    t = case["transformer"]
    w = t["width"]
    shapes = {"table": (t["vocabulary"], w), "positions_1.table": (t["length"], w)}
    dense = lambda name, n, m: shapes.update({name + ".kernel": (n, m), name + ".bias": (m,)})
    norm = lambda name: shapes.update({name + ".gain": (w,), name + ".shift": (w,)})
    for i in range(t["layers"]):
        part = f"transformer_{i + 1}."
        dense(part + "attention_1.dense_1", w, 3 * w)
        dense(part + "attention_1.dense_2", w, w)
        dense(part + "dense_1", w, t["hidden"])
        dense(part + "dense_2", t["hidden"], w)
        norm(part + "layer_norm_1")
        norm(part + "layer_norm_2")
    if t["classes"]:
        dense("dense_1", w, t["classes"])
    else:
        norm("layer_norm_1")
    return {name: read(case, name, *shape) for name, shape in shapes.items()}


def torch_transformer(case):
    t = case["transformer"]
    heads, classes, values = t["heads"], t["classes"], parameters(case)

    def linear(name):
        layer = nn.Linear(*values[name + ".kernel"].shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(values[name + ".kernel"].T.copy()))
            layer.bias.copy_(torch.from_numpy(values[name + ".bias"]))
        return layer

    def norm(name):
        layer = nn.LayerNorm(t["width"])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(values[name + ".gain"]))
            layer.bias.copy_(torch.from_numpy(values[name + ".shift"]))
        return layer

    class Block(nn.Module):
        def __init__(self, i):
            super().__init__()
            part = f"transformer_{i + 1}."
            self.qkv, self.out = linear(part + "attention_1.dense_1"), linear(part + "attention_1.dense_2")
            self.up, self.down = linear(part + "dense_1"), linear(part + "dense_2")
            self.norm1, self.norm2 = norm(part + "layer_norm_1"), norm(part + "layer_norm_2")

        def attend(self, x):
            b, n, w = x.shape
            q, k, v = self.qkv(x).view(b, n, 3, heads, w // heads).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=not classes)
            return self.out(y.transpose(1, 2).reshape(b, n, w))

        def forward(self, x):
            if classes:
                x = self.norm1(x + self.attend(x))
                return self.norm2(x + self.down(F.relu(self.up(x))))
            x = x + self.attend(self.norm1(x))
            return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding.from_pretrained(torch.from_numpy(values["table"]), freeze=False)
            self.places = nn.Parameter(torch.from_numpy(values["positions_1.table"]))
            self.blocks = nn.ModuleList(Block(i) for i in range(t["layers"]))
            if classes:
                self.head = linear("dense_1")
            else:
                self.norm = norm("layer_norm_1")

        def forward(self, tokens):
            x = self.table(tokens) + self.places
            for block in self.blocks:
                x = block(x)
            if classes:
                return self.head(x.mean(1))
            return F.linear(self.norm(x), self.table.weight)

    return Transformer()


def jax_transformer(t):
    """The logits of tokens, a function of the parameters by their names."""
    heads, classes, w = t["heads"], t["classes"], t["width"]

    def norm(p, name, x):
        x = x - x.mean(-1, keepdims=True)
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * p[name + ".gain"] + p[name + ".shift"]

    dense = lambda p, name, x: x @ p[name + ".kernel"] + p[name + ".bias"]

    def attend(p, part, x):
        b, n, _ = x.shape
        q, k, v = jnp.moveaxis(dense(p, part + "attention_1.dense_1", x).reshape(b, n, 3, heads, w // heads), 2, 0)
        y = jax.nn.dot_product_attention(q, k, v, is_causal=not classes)
        return dense(p, part + "attention_1.dense_2", y.reshape(b, n, w))

    def logits(p, tokens):
        x = p["table"][tokens] + p["positions_1.table"]
        for i in range(t["layers"]):
            part = f"transformer_{i + 1}."
            if classes:
                x = norm(p, part + "layer_norm_1", x + attend(p, part, x))
                h = jax.nn.relu(dense(p, part + "dense_1", x))
                x = norm(p, part + "layer_norm_2", x + dense(p, part + "dense_2", h))
            else:
                x = x + attend(p, part, norm(p, part + "layer_norm_1", x))
                h = jax.nn.gelu(dense(p, part + "dense_1", norm(p, part + "layer_norm_2", x)), approximate=True)
                x = x + dense(p, part + "dense_2", h)
        if classes:
            return dense(p, "dense_1", x.mean(1))
        return norm(p, "layer_norm_1", x) @ p["table"].T

    return logits


def onnx_transformer(case):
    """Nodes and values of an encoder from tokens to y, for a fixed batch."""
    from onnx import helper, numpy_helper

    t, b = case["transformer"], case["batch"]
    n, w, heads = t["length"], t["width"], t["heads"]
    nodes, values = [], []

    def value(name, x):
        values.append(numpy_helper.from_array(x, name))
        return name

    for name, x in parameters(case).items():
        value(name, x)
    packed, joined = value("packed", np.array([b, n, 3, heads, w // heads])), value("joined", np.array([b, n, w]))
    scale, thirds = value("scale", np.array((w // heads) ** -0.5, np.float32)), [value(f"third{i}", np.array(i)) for i in range(3)]

    def node(op, inputs, **attributes):
        name = f"n{len(nodes)}"
        nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    dense = lambda name, x: node("Add", [node("MatMul", [x, name + ".kernel"]), name + ".bias"])
    norm = lambda name, x: node("LayerNormalization", [x, name + ".gain", name + ".shift"], axis=-1, epsilon=1e-5)
    x = node("Add", [node("Gather", ["table", "x"]), "positions_1.table"])
    for i in range(t["layers"]):
        part = f"transformer_{i + 1}."
        qkv = node("Reshape", [dense(part + "attention_1.dense_1", x), packed])
        turns = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
        q, k, v = (node("Transpose", [node("Gather", [qkv, at], axis=2)], perm=perm) for at, perm in zip(thirds, turns))
        y = node("MatMul", [node("Softmax", [node("Mul", [node("MatMul", [q, k]), scale])], axis=-1), v])
        y = dense(part + "attention_1.dense_2", node("Reshape", [node("Transpose", [y], perm=[0, 2, 1, 3]), joined]))
        x = norm(part + "layer_norm_1", node("Add", [x, y]))
        y = dense(part + "dense_2", node("Relu", [dense(part + "dense_1", x)]))
        x = norm(part + "layer_norm_2", node("Add", [x, y]))
    x = node("ReduceMean", [x], axes=[1], keepdims=0)
    nodes.append(helper.make_node("Gemm", [x, "dense_1.kernel", "dense_1.bias"], ["y"]))
    return nodes, values


class Jax:
    def __init__(self):
        global jax, jnp
        import jax
        import jax.numpy as jnp

        self.version = f"jax {jax.__version__}"

    def product(self, case):
        a, b = operands(case)
        ta, tb = case.get("trans_a", False), case.get("trans_b", False)
        a, b = jnp.asarray(a.T if ta else a), jnp.asarray(b.T if tb else b)
        f = jax.jit(lambda a, b: jnp.matmul(a.T if ta else a, b.T if tb else b))
        last = [None]

        def step():
            last[0] = f(a, b).block_until_ready()

        return step, lambda: None, lambda: np.asarray(last[0]).ravel()

    def train_bag(self, case, exact):
        """Adam on the rows of the table that a batch touches, in place."""
        rate, size, length = case["rate"], case["batch"], case["bag"]["length"]
        x, y = jnp.asarray(read(case, "x", -1, length, dtype="<i4")), jnp.asarray(targets(case))
        order = jnp.asarray(read(case, "order", -1, dtype="<i4"))
        table, kernel, bias = (jnp.asarray(v) for v in bag(case))

        def loss_of(mean, kernel, bias, y):
            logits = mean @ kernel + bias
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

        def one(state, lo):
            table, m1, v1, params, m, v, t = state
            index = jax.lax.dynamic_slice(order, (lo,), (size,))
            grams = x[index]
            loss, g = jax.value_and_grad(loss_of, argnums=(0, 1, 2))(table[grams].mean(1), *params, y[index])
            t = t + 1
            c1, c2 = 1 - 0.9**t, 1 - 0.999**t

            def adam(p, m, v, g):
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                return p - rate * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), m, v

            rows, place = jnp.unique(grams.ravel(), return_inverse=True, size=grams.size, fill_value=table.shape[0])
            sums = jnp.zeros((grams.size, table.shape[1])).at[place.ravel()].add(jnp.repeat(g[0] / length, length, 0))
            new = adam(*(a.at[rows].get(mode="fill", fill_value=0) for a in (table, m1, v1)), sums)
            table, m1, v1 = (a.at[rows].set(n, mode="drop", unique_indices=False) for a, n in zip((table, m1, v1), new))
            new = [adam(*parts) for parts in zip(params, m, v, g[1:])]
            return (table, m1, v1, *map(tuple, zip(*new)), t), loss

        zeros = lambda: (jnp.zeros_like(kernel), jnp.zeros_like(bias))
        state = [(table, jnp.zeros_like(table), jnp.zeros_like(table), (kernel, bias), zeros(), zeros(), jnp.float32(0))]
        del table
        loss, one, start = [None], jax.jit(one, donate_argnums=0), starts(case)

        def step():
            state[0], loss[0] = one(state[0], next(start))

        return step, lambda: float(loss[0])

    def train_transformer(self, case, exact):
        logits = jax_transformer(case["transformer"])

        def cross_entropy(params, x, y):
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(params, x)), y[..., None], -1))

        x, y = map(jnp.asarray, sequences(case))
        params = {k: jnp.asarray(v) for k, v in parameters(case).items()}
        return self.training(case, x, y, cross_entropy, params)

    def train_layers(self, case, exact):
        x, y = jnp.asarray(features(case)), jnp.asarray(targets(case))

        def images(params, x):
            for w, b in params:
                x = jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
                x = jax.nn.relu(x + b)
            if params:
                pool = (1, case["images"]["pool"], case["images"]["pool"], 1)
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, pool, pool, "VALID")
            return x.reshape(x.shape[0], -1)

        def loss_of(params, x, y):
            convolved, params = params
            x = images(convolved, x)
            for i, (w, b) in enumerate(params):
                x = x @ w + b
                if i < len(params) - 1:
                    x = jax.nn.relu(x)
            if case["loss"] == "classes":
                return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1))
            return jnp.mean(jnp.logaddexp(0.0, x) - y * x)

        layers = convolutions(case) if "images" in case else [], dense(case)
        return self.training(case, x, y, loss_of, jax.tree.map(jnp.asarray, layers))

    def training(self, case, x, y, loss_of, params):
        order = jnp.asarray(read(case, "order", -1, dtype="<i4"))
        rate, size = case["rate"], case["batch"]

        def one(state, lo):
            params, m, v, t = state
            index = jax.lax.dynamic_slice(order, (lo,), (size,))
            loss, g = jax.value_and_grad(loss_of)(params, x[index], y[index])
            t = t + 1
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            c1, c2 = 1 - 0.9**t, 1 - 0.999**t
            params = jax.tree.map(lambda p, m, v: p - rate * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), params, m, v)
            return (params, m, v, t), loss

        zeros = lambda: jax.tree.map(jnp.zeros_like, params)
        state, loss = [(params, zeros(), zeros(), jnp.float32(0))], [None]
        one, start = jax.jit(one, donate_argnums=0), starts(case)

        def step():
            state[0], loss[0] = one(state[0], next(start))

        return step, lambda: float(loss[0])


class Onnx:
    def __init__(self):
        global onnx, ort
        import onnx
        import onnxruntime as ort

        self.version = f"onnxruntime {ort.__version__}"

    def predict_transformer(self, case):
        from onnx import TensorProto, helper

        nodes, values = onnx_transformer(case)
        t = case["transformer"]
        ends = [
            helper.make_tensor_value_info("x", TensorProto.INT32, [case["batch"], t["length"]]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [case["batch"], t["classes"]]),
        ]
        return self.session(nodes, values, ends, sequences(case)[0][: case["batch"]].copy())

    def predict_layers(self, case):
        from onnx import TensorProto, helper, numpy_helper

        nodes, values, last = [], [], "x"
        layers = dense(case)
        if "images" in case:
            last, layers = self.images(case, nodes, values, layers)
        for i, (kernel, bias) in enumerate(layers):
            values += [numpy_helper.from_array(kernel.copy(), f"w{i}"), numpy_helper.from_array(bias.copy(), f"b{i}")]
            nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"h{i}"]))
            last = f"h{i}"
            if i < len(layers) - 1:
                nodes.append(helper.make_node("Relu", [last], [f"r{i}"]))
                last = f"r{i}"
        x = features(case)[: case["batch"]]
        if "images" in case:  # channels first, as ONNX has them
            x = x.transpose(0, 3, 1, 2)
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", *shape])
            for name, shape in (("x", x.shape[1:]), (last, case["widths"][-1:]))
        ]
        return self.session(nodes, values, ends, np.ascontiguousarray(x))

    def session(self, nodes, values, ends, x):
        from onnx import helper

        model = helper.make_model(
            helper.make_graph(nodes, "m", ends[:1], ends[1:], values), opset_imports=[helper.make_opsetid("", 17)]
        )
        model.ir_version = 8
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        feed = {"x": x}
        result = [None]

        def step():
            result[0] = session.run(None, feed)[0]

        return step, lambda: None, lambda: result[0].ravel()

    def images(self, case, nodes, values, layers):
        """The convolutions; the first dense kernel's rows go by channel, row and column."""
        from onnx import helper, numpy_helper

        m, last = case["images"], "x"
        for i, (kernel, bias) in enumerate(convolutions(case)):
            values += [
                numpy_helper.from_array(kernel.transpose(3, 2, 0, 1).copy(), f"k{i}"),
                numpy_helper.from_array(bias.copy(), f"c{i}"),
            ]
            nodes.append(helper.make_node("Conv", [last, f"k{i}", f"c{i}"], [f"y{i}"]))
            nodes.append(helper.make_node("Relu", [f"y{i}"], [f"z{i}"]))
            last = f"z{i}"
        nodes.append(helper.make_node("MaxPool", [last], ["pool"], kernel_shape=[m["pool"]] * 2, strides=[m["pool"]] * 2))
        nodes.append(helper.make_node("Flatten", ["pool"], ["flat"]))
        kernel, bias = layers[0]
        channels = m["filters"][-1]
        side = int((kernel.shape[0] // channels) ** 0.5)
        kernel = kernel.reshape(side, side, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
        return "flat", [(kernel, bias), *layers[1:]]


PEERS = {"numpy": Numpy, "torch": Torch, "torch.dense": Dense, "torch.compile": Compiled, "jax": Jax, "onnxruntime": Onnx}
MODELS = "table", "bag", "transformer"  # the keys of a case's sizes; "layers" has none
SHOWN = 64  # numbers of a result that are compared


def prepare(peer, q):
    case = q["case"]
    model = next((m for m in MODELS if case.get(m)), "layers")
    if case["kind"] not in ("product", "predict"):
        step, loss = getattr(peer, "train_" + model)(case, q.get("exact", False))
        values = []
        for _ in range(q["steps"]):
            step()
            values.append(loss())
        return step, loss, values
    step, wait, result = (peer.product if case["kind"] == "product" else getattr(peer, "predict_" + model))(case)
    step()
    return step, wait, [float(v) for v in result()[:SHOWN]]


def timed(step, wait, q):
    seconds, clock = [], time.perf_counter
    began = clock()
    if q.get("each"):
        for _ in range(q["steps"]):
            step()
            now = clock()
            seconds.append(now - began)
            began = now
        return seconds
    for _ in range(q["steps"]):
        step()
    wait()
    return [clock() - began]


def say(**words):
    print(json.dumps(words), file=out, flush=True)


try:
    import numpy as np

    peer = PEERS[NAME]()
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)
say(version=peer.version)
step = wait = None
for line in sys.stdin:
    q = json.loads(line)
    try:
        if q["do"] == "prepare":
            step = wait = None
            step, wait, values = prepare(peer, q)
            say(values=values)
        else:
            say(seconds=timed(step, wait, q))
    except Exception as e:
        say(error=f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}")
