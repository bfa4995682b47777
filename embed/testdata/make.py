"""Writes the tiny encoders of this folder, with random weights, and what PyTorch
makes of some texts by them (expected.json):

    python -m venv v && v/bin/pip install torch transformers==5.24.0 sentence-transformers==6.2.0
    v/bin/python make.py
"""
import json, os, pathlib, shutil

os.environ["CUDA_VISIBLE_DEVICES"] = ""
import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = pathlib.Path(__file__).parent
torch.manual_seed(7)
texts = [
    "I lost my card, what now?",
    "",
    "Déjà vu: the naïve café closed in 2019.",
    "the card the card the card " * 12,  # is cut
    "银行卡 lost",
    "Why was my top-up not accepted, although my bank says that everything is in order",
]
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
roberta = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
size = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=34)


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=110, special_tokens=special, show_progress=False))
    t.post_processor = processors.BertProcessing(("[SEP]", t.token_to_id("[SEP]")), ("[CLS]", t.token_to_id("[CLS]")))
    t.decoder = decoders.WordPiece()
    return t


def bpe():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=300, special_tokens=roberta, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    t.decoder = decoders.ByteLevel()
    return t


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=90, special_tokens=roberta, unk_token="<unk>", show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    t.decoder = decoders.Metaspace()
    return t


def random(model):
    """Gives every weight, biases and gains too, values of some size."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * 0.3 + (1 if "LayerNorm.weight" in name or "layer_norm.weight" in name else 0))
    return model.eval()


def fast(t, names):
    keys = ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"]
    return tf.PreTrainedTokenizerFast(tokenizer_object=t, model_max_length=32, **dict(zip(keys, names)))


expected = {}


def record(name, tokenizer, vector=None):
    model = tf.AutoModel.from_pretrained(here / name, dtype=torch.float32).eval()
    ids, hidden = [], []
    for text in texts:
        x = tokenizer(text, truncation=True, max_length=32, return_tensors="pt")
        ids.append(x["input_ids"][0].tolist())
    # Together, so that masks have their part.
    batch = tokenizer(texts, truncation=True, max_length=32, padding=True, return_tensors="pt")
    with torch.no_grad():
        h = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    for i, row in enumerate(ids):
        hidden.append([[round(v, 5) for v in token] for token in h[i, : len(row)].tolist()])
    expected[name] = {"ids": ids, "hidden": hidden}


def write(name, model, tokenizer, save_tokenizer=True, **kw):
    shutil.rmtree(here / name, ignore_errors=True)
    model.save_pretrained(here / name, **kw)
    if save_tokenizer:
        tokenizer.save_pretrained(here / name)
    record(name, tokenizer)


piece = wordpiece()
tokenizer = fast(piece, special)
count = piece.get_vocab_size()

# A model with a head, in shards, with vocab.txt.
write("bert", random(tf.BertForMaskedLM(tf.BertConfig(vocab_size=count, **size))), tokenizer, save_tokenizer=False, max_shard_size="12KB")
vocabulary = sorted(piece.get_vocab(), key=piece.get_vocab().get)
(here / "bert/vocab.txt").write_text("\n".join(vocabulary) + "\n")
(here / "bert/tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "model_max_length": 32}))

t = bpe()
write("roberta", random(tf.RobertaModel(tf.RobertaConfig(vocab_size=t.get_vocab_size(), pad_token_id=1, type_vocab_size=1, hidden_act="relu", layer_norm_eps=1e-5, **size))), fast(t, [roberta[i] for i in (1, 3, 0, 2, 4)]))
t = unigram()
write("xlm-roberta", random(tf.XLMRobertaModel(tf.XLMRobertaConfig(vocab_size=t.get_vocab_size(), pad_token_id=1, type_vocab_size=1, **size), add_pooling_layer=False)), fast(t, [roberta[i] for i in (1, 3, 0, 2, 4)]))
write("distilbert", random(tf.DistilBertModel(tf.DistilBertConfig(vocab_size=count, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=34))).half(), tokenizer)
write("electra", random(tf.ElectraModel(tf.ElectraConfig(vocab_size=count, embedding_size=8, hidden_act="gelu_new", **size))).to(torch.bfloat16), tokenizer)

# A sentence encoder: pooling, a dense layer, unit length.
from sentence_transformers import SentenceTransformer, models as st

shutil.rmtree(here / "sentence", ignore_errors=True)
plain = here / "plain"
random(tf.BertModel(tf.BertConfig(vocab_size=count, **size), add_pooling_layer=False)).save_pretrained(plain)
tokenizer.save_pretrained(plain)
word = st.Transformer(str(plain), max_seq_length=24)
dense = random(st.Dense(16, 12, activation_function=torch.nn.Tanh()))
SentenceTransformer(modules=[word, st.Pooling(16, "mean"), dense, st.Normalize()], device="cpu").save(str(here / "sentence"), create_model_card=False)
shutil.rmtree(plain)
vectors = {"mean+dense": SentenceTransformer(str(here / "sentence"), device="cpu").encode(texts)}
for mode in ["cls", "mean", "max"]:
    vectors[mode] = SentenceTransformer(modules=[word, st.Pooling(16, mode)], device="cpu").encode(texts)
expected["sentence"] = {"vectors": {k: [[round(x, 6) for x in row] for row in v.tolist()] for k, v in vectors.items()}}
expected["texts"] = texts
(here / "expected.json").write_text(json.dumps(expected, separators=(",", ":"), ensure_ascii=False))
