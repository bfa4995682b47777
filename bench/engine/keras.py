"""Keras on TensorFlow as a peer of hone's engine; see peers.py for the protocol.

    python keras.py NAME THREADS

NAME is keras.fit or keras.train_on_batch: a fit of LEAST steps or more, of whose
time a step has its part, or a call for every step. Losses are those of
train_on_batch, which gives them before each update.
"""
import json
import os
import sys
import time

NAME, THREADS = sys.argv[1], int(sys.argv[2])
LEAST = 512
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["KERAS_BACKEND"] = "tensorflow"
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # this file is not the package
out, sys.stdout = sys.stdout, sys.stderr


def read(case, name, *shape, dtype="<f4"):
    return np.fromfile(os.path.join(case["dir"], name), dtype=dtype).reshape(shape)


def prepare(case):
    widths, last = case["widths"], len(case["widths"]) - 2
    net = keras.Sequential(
        [keras.Input((widths[0],))]
        + [keras.layers.Dense(w, activation=None if i == last else "relu") for i, w in enumerate(widths[1:])]
    )
    for i, layer in enumerate(net.layers):
        kernel = read(case, f"dense_{i + 1}.kernel", widths[i], widths[i + 1])
        layer.set_weights([kernel, read(case, f"dense_{i + 1}.bias", widths[i + 1])])
    classes = case["loss"] == "classes"
    cross = keras.losses.SparseCategoricalCrossentropy if classes else keras.losses.BinaryCrossentropy
    net.compile(keras.optimizers.Adam(case["rate"], epsilon=1e-8), cross(from_logits=True))
    order = read(case, "order", -1, dtype="<i4")
    x = read(case, "x", -1, widths[0])[order]
    y = read(case, "y", -1, dtype="<i4")[order] if classes else read(case, "y", -1, 1)[order]
    return net, x, y


class Peer:
    def __init__(self, case, steps):
        self.size, self.at = case["batch"], 0
        self.net, self.x, self.y = prepare(case)
        self.values = [float(self.step()) for _ in range(steps)]
        if NAME == "keras.fit":
            self.fit(LEAST)

    def step(self):
        if self.at + self.size > len(self.x):
            self.at = 0
        lo, hi = self.at, self.at + self.size
        self.at = hi
        return self.net.train_on_batch(self.x[lo:hi], self.y[lo:hi])

    def fit(self, steps):
        """Epochs as long as there are rows; returns how many steps there were."""
        rows = min(steps, len(self.x) // self.size) * self.size
        epochs = -(-steps * self.size // rows)
        self.net.fit(self.x[:rows], self.y[:rows], batch_size=self.size, epochs=epochs, verbose=0)
        return epochs * rows // self.size

    def timed(self, steps):
        began = time.perf_counter()
        if NAME == "keras.fit":
            done = self.fit(max(steps, LEAST))
        else:
            done = steps
            for _ in range(steps):
                self.step()
        return (time.perf_counter() - began) * steps / done


def say(**words):
    print(json.dumps(words), file=out, flush=True)


try:
    import numpy as np
    import tensorflow as tf

    import keras
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(3)
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)
say(version=f"keras {keras.__version__} with tensorflow {tf.__version__}")
peer = None
for line in sys.stdin:
    q = json.loads(line)
    try:
        if q["do"] == "prepare":
            peer = Peer(q["case"], q["steps"])
            say(values=peer.values)
        else:
            say(seconds=[peer.timed(q["steps"])])
    except Exception as e:
        say(error=f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}")
