"""Makes fixture.json.gz: small tokenizers of every kind, trained or built by
Hugging Face's tokenizers 0.23.3, and what each makes of hard strings. Run as
`python fixture.py`, with sentencepiece 0.2 and protobuf for a character map.
It trains on the project's documents as they are then. Offsets are of characters, as Python counts them."""
import glob, gzip, io, json, os, tempfile
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders as D, models as M, normalizers as N, pre_tokenizers as P, processors as R, trainers as T

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "..", "..", "..")
corpus = [l.strip() for f in sorted(glob.glob(f"{root}/README*.md") + glob.glob(f"{root}/docs/*.md")) for l in open(f, encoding="utf-8") if l.strip()]
corpus = [l for l in corpus if len(l) < 800]

strings = [
    "", " ", "  ", "\n", "a", "Hello, world!", "Hello,world  !!  What's up? I'm they'll we'd YOU'RE",
    "  leading and trailing  ", "tabs\tand\nnew\r\nlines \n\n  x", "\u00a0no\u00a0break\u2003em\u3000ideographic\u200bzero",
    "My card hasn't arrived; why? I paid £12.50 (or 1,234.56 €) on 2024-05-06.", "ALL CAPS and MiXeD CaSe ÄÖÜ ẞ ß İstanbul ı",
    "Zoe\u0308 Zo\u00eb cafe\u0301 caf\u00e9 n\u0303 \u00f1 A\u030a \u212b \u00c5", "a\u0301\u0327 a\u0327\u0301 q\u0307\u0323 q\u0323\u0307 \u1e0b\u0323 e\u0302\u0301",
    "\u0301leading mark \u0327\u0301", "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab\u1100\u116e\u11a8 \uac00\u11a8", "\ufb01 \ufb03 \u2460 \u00bd \u00b2 \u210c \u33a5 \ufdfa \u1e9b\u0323 \u2167 \u017f",
    "\U0001d54f\U0001d7d8 \uff21\uff22\uff23\uff11\uff12 \uff76\uff9e\uff77 \u3300", "中文测试，没有空格。你好世界！", "我的卡还没有到，怎么办？ 2024年5月6日", "日本語のテスト、カタカナとひらがな。東京都に住んでいます",
    "ไทยไม่มีช่องว่างระหว่างคำ", "مرحبا بالعالم، كيف حالك؟ ١٢٣", "שלום עולם \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "\u202eright to left\u202c \u200fmark\u200e", "नमस्ते दुनिया क्षत्रिय", "Привет, мир! Ёлка \u0439 \u0438\u0306",
    "Ελληνικά ΣΊΣΥΦΟΣ σίσυφος", "😀 😃😄 emoji👍🏽 ok", "👨‍👩‍👧‍👦 family 🏳️‍🌈 flag 🇩🇪🇫🇷 1️⃣ ❤️ ❤", "a\u200db a\u200cb \u200d \ufeffBOM \u2060wj \u00adsoft", "\u0000nul\u0001\u0007bell\u001besc\u007fdel\u0080\u0085\u009f",
    "\u061c\u180e\u2028line\u2029para\u000bvt\u000cff", "\ue000private \U000f0000 \ufffd \ufffe", "\U0001f9cc \U00011938 \u32ff \u0378 \U0001fae0 \U0010ffff",
    "x" * 101, "ab" * 300, "superlongword" * 12 + " end", "the the the the " * 20, "don't can't won't it's 's 'S 'll 'LL 'Re ’s ''s", "...!!!???---___###$$$%%%", "a.b,c;d:e/f\\g|h@i#j$k%l^m&n*o(p)q",
    "[SEP] in [CLS]text[MASK] [UNK]", "a <mask> b<mask>c  <mask>  d", "<s>x</s> <unk> <pad>", "[MASK][MASK] [mask] [ MASK ]", "special<|eot|>token <|eot|> <|EOT|>", "new_token xnew_tokeny New_Token new_token.", "12 345 6789 0123456789 3.14 1e10 ½ ² Ⅷ ٣ ५",
    "foo123bar 4x4 v2.0 covid-19", "   \n  \n\n x \r\n\r\n y  \t z", "ab\n cd \nef", " \u3000 \u2009x", "http://example.com/a?b=c&d=%20 https://www.hone.dev. me@x.org", "&lt;b&gt;bold&lt;/b&gt; <b>tag</b> &amp; &#39;", "`` quotes '' \"x\" ‘y’ “z” «w»",
    "▁meta ▁ space▁▁", "Ġbyte Ċ Ä ġ", "##ing ing ##", "mixed中文English混合123テスト", "Đđ Łł Øø Æœ Þþ", "\u1e9e\u01c4\u01c5\u0130i\u0307", "x\u0361y z\u20e3 a\u20dd \u0488", "\u302e\u0301a\u302e\u0323b", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝒳", "ﷺ ﷽ ㎢ ㈱ Ⅻ ℃", "\u0958 \u0929 \u0928\u093c", "\u2126 \u03a9 \u1f71 \u03ac \u0344", "tail space ", "end\n",
]
pairs = [("My card", "has not arrived"), ("", "x"), ("x", ""), ("one two three four five six seven eight", "nine ten eleven twelve"), ("[CLS] a", "b <mask>")]

special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
made = {}


def add(name, t, decoder=None):
    if decoder:
        t.decoder = decoder
    made[name] = t
    return t


def train(model, trainer, norm=None, pre=None, size=500, texts=corpus):
    t = Tokenizer(model)
    if norm:
        t.normalizer = norm
    if pre:
        t.pre_tokenizer = pre
    t.train_from_iterator(texts, trainer)
    return t


def fresh(t):
    return Tokenizer.from_str(t.to_str())


def ids(t, *names):
    return [(n, t.token_to_id(n)) for n in names]


wp = lambda: T.WordPieceTrainer(vocab_size=700, special_tokens=special, limit_alphabet=400, show_progress=False)
t = train(M.WordPiece(unk_token="[UNK]"), wp(), N.BertNormalizer(), P.BertPreTokenizer())
t.post_processor = R.BertProcessing(*ids(t, "[SEP]", "[CLS]"))
bert = add("bert", t, D.WordPiece())
t = train(M.WordPiece(unk_token="[UNK]"), wp(), N.BertNormalizer(lowercase=False), P.BertPreTokenizer())
t.post_processor = R.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids(t, "[CLS]", "[SEP]"))
add("bert-cased", t, D.WordPiece(cleanup=False))
t = fresh(bert)
t.normalizer = N.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=True)
add("bert-plain", t)
t = fresh(bert)
t.normalizer = N.BertNormalizer(strip_accents=True, lowercase=False)
t.add_tokens([AddedToken("new_token", single_word=True), AddedToken("card", rstrip=True), AddedToken("Hello", normalized=False), AddedToken("up", lstrip=True, rstrip=True, single_word=True), AddedToken("ÄÖÜ")])
add("added", t)
for name, kw in {"truncate": dict(max_length=9, stride=2), "truncate-left": dict(max_length=8, stride=1, direction="left"), "truncate-first": dict(max_length=14, strategy="only_first")}.items():
    t = fresh(bert)
    t.enable_truncation(**kw)
    add(name, t)
t = fresh(bert)
t.enable_padding(length=12, pad_id=0, pad_token="[PAD]")
t.enable_truncation(12)
add("pad", t)
t = fresh(bert)
t.enable_padding(direction="left", pad_to_multiple_of=8, pad_type_id=3)
add("pad-left", t)

bytes_trainer = lambda s=(): T.BpeTrainer(vocab_size=700, special_tokens=list(s), initial_alphabet=P.ByteLevel.alphabet(), show_progress=False)
t = train(M.BPE(), bytes_trainer(["<|eot|>"]), None, P.ByteLevel(add_prefix_space=False))
t.post_processor = R.ByteLevel(trim_offsets=True)
gpt2 = add("gpt2", t, D.ByteLevel())
t = fresh(gpt2)
t.post_processor = R.ByteLevel(trim_offsets=False)
t.pre_tokenizer = P.ByteLevel(add_prefix_space=True)
add("gpt2-prefix", t)
t = train(M.BPE(unk_token="<unk>"), bytes_trainer(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, normalized=False, special=True)]), None, P.ByteLevel())
t.post_processor = R.RobertaProcessing(*ids(t, "</s>", "<s>"))
add("roberta", t, D.ByteLevel())
llama3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
t = train(M.BPE(ignore_merges=True), bytes_trainer(["<|eot|>"]), None, P.Sequence([P.Split(Regex(llama3), "isolated"), P.ByteLevel(False, use_regex=False)]))
t.post_processor = R.Sequence([R.ByteLevel(trim_offsets=False), R.TemplateProcessing(single="<|eot|> $A", pair="<|eot|> $A <|eot|>:1 $B:1", special_tokens=ids(t, "<|eot|>"))])
add("llama3", t, D.ByteLevel())
t = train(M.BPE(), bytes_trainer(["<|eot|>"]), N.NFC(), P.Sequence([P.Split(Regex(llama3.replace("{1,3}", "")), "isolated"), P.ByteLevel(False, use_regex=False)]))
add("qwen2", t, D.ByteLevel())
byte_tokens = [f"<0x{i:02X}>" for i in range(256)]
t = train(M.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"), T.BpeTrainer(vocab_size=900, special_tokens=["<unk>", "<s>", "</s>"] + byte_tokens, limit_alphabet=150, show_progress=False), N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]))
t.post_processor = R.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=ids(t, "<s>"))
j = json.loads(t.to_str())
j["added_tokens"] = [a for a in j["added_tokens"] if not a["content"].startswith("<0x")]
t = Tokenizer.from_str(json.dumps(j))
add("llama2", t, D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]))
t = train(M.BPE(unk_token="[UNK]"), T.BpeTrainer(vocab_size=600, special_tokens=special, limit_alphabet=100, end_of_word_suffix="</w>", show_progress=False), N.Sequence([N.NFD(), N.Lowercase(), N.StripAccents()]), P.BertPreTokenizer())
add("suffix", t, D.BPEDecoder())
t = train(M.BPE(unk_token="[UNK]", fuse_unk=True), T.BpeTrainer(vocab_size=600, special_tokens=special, limit_alphabet=100, continuing_subword_prefix="##", show_progress=False), N.NFKC(), P.Whitespace())
add("prefix", t)
t = train(M.BPE(), T.BpeTrainer(vocab_size=500, limit_alphabet=100, show_progress=False), N.NFKD(), P.WhitespaceSplit())
add("no-unk", t)

rules = {"\u2460": "1", "\u00bd": "1/2", "\ufb01": "fi", "\u3000": " ", "\u00a0": " ", "\n": " ", "\t": " ", "\r": "", "\u200b": "", "\u00ad": "", "e\u0301": "\u00e9", "A\u030a": "\u00c5", "\uff21": "A", "\uff22": "B", "\uff76\uff9e": "\u30ac", "\uff77": "\u30ad", "\u2026": "...", "x\u0361": "x", "\U0001d54f": "X", "\u212b": "\u00c5", "\u0301": "", "\u017f": "s"}
with tempfile.TemporaryDirectory() as dir:
    with open(f"{dir}/rules.tsv", "w") as f:
        for a, b in rules.items():
            f.write(" ".join("%X" % ord(c) for c in a) + "\t" + " ".join("%X" % ord(c) for c in b) + "\n")
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_prefix=f"{dir}/m", vocab_size=800, normalization_rule_tsv=f"{dir}/rules.tsv", minloglevel=2, hard_vocab_limit=False)
    m = sentencepiece_model_pb2.ModelProto()
    m.ParseFromString(open(f"{dir}/m.model", "rb").read())
charsmap = m.normalizer_spec.precompiled_charsmap
uni = lambda **kw: T.UnigramTrainer(vocab_size=700, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>", show_progress=False, **kw)
latin = [c for c in corpus if max(map(ord, c), default=0) < 0x2000]
t = train(M.Unigram(), uni(), N.Sequence([N.Precompiled(charsmap), N.Replace(Regex(" {2,}"), " ")]), P.Metaspace(), texts=latin)
t.post_processor = R.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids(t, "<s>", "</s>"))
xlmr = add("xlmr", t, D.Metaspace())
t = train(M.Unigram(), uni(), N.Sequence([N.Replace("``", '"'), N.NFKD(), N.StripAccents(), N.Lowercase(), N.Strip()]), P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="first")]), texts=latin)
add("albert", t, D.Metaspace(prepend_scheme="never"))
j = json.loads(fresh(xlmr).to_str())
j["model"]["vocab"] += [[b, -9.5] for b in byte_tokens]
j["model"]["byte_fallback"] = True
j["normalizer"] = {"type": "Nmt"}
j["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
add("unigram-bytes", Tokenizer.from_str(json.dumps(j)), D.Sequence([D.ByteFallback(), D.Metaspace()]))

words = T.WordLevelTrainer(vocab_size=400, special_tokens=special, show_progress=False)
t = train(M.WordLevel(unk_token="[UNK]"), words, N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]), P.Whitespace())
add("words", t)
t = train(M.WordLevel(unk_token="[UNK]"), words, N.NFC(), P.FixedLength(1))
add("characters", t, D.Fuse())

empty = lambda norm, pre: (lambda t: (setattr(t, "normalizer", norm) if norm else None, setattr(t, "pre_tokenizer", pre) if pre else None, t)[2])(Tokenizer(M.WordLevel({"[UNK]": 0}, unk_token="[UNK]")))
for b in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
    add("split-" + b, empty(None, P.Sequence([P.Split(Regex(r"\d+|[,.!]|\s+"), b), P.Split("a", b)])))
    add("punctuation-" + b, empty(None, P.Punctuation(b)))
add("split-invert", empty(None, P.Split(Regex(r"\w+"), "removed", invert=True)))
add("digits", empty(N.NFKC(), P.Digits(False)))
add("digits-each", empty(N.NFD(), P.Sequence([P.Digits(True), P.CharDelimiterSplit("a")])))
add("metaspace", empty(N.NFKD(), P.Metaspace(prepend_scheme="first")))
add("metaspace-never", empty(N.Strip(left=True, right=False), P.Metaspace(prepend_scheme="never")))
add("replace", empty(N.Sequence([N.Replace(Regex(r"[aeiou]"), ""), N.Replace(Regex(r"\s+"), "  "), N.Replace("l", "LL"), N.Strip(left=False, right=True), N.Prepend("ab ")]), P.WhitespaceSplit()))
add("bytes-normalizer", empty(N.Sequence([N.NFKC(), N.ByteLevel()]), P.WhitespaceSplit()))

out = []
for name, t in made.items():
    def record(e):
        return {"ids": e.ids, "tokens": e.tokens, "offsets": e.offsets, "types": e.type_ids, "words": e.word_ids, "sequences": e.sequence_ids, "mask": e.attention_mask, "overflow": [record(o) for o in e.overflowing]}

    cases = []
    for s in strings:
        e = t.encode(s)
        cases.append({"text": s, **record(e), "decoded": t.decode(e.ids) if e.ids else "", "whole": t.decode(e.ids, skip_special_tokens=False) if e.ids else ""})
    for a, b in pairs:
        try:
            cases.append({"text": a, "pair": b, **record(t.encode(a, b))})
        except BaseException as err:
            cases.append({"text": a, "pair": b, "error": str(err)[:200]})
    out.append({"name": name, "tokenizer": json.loads(t.to_str()), "cases": cases})
raw = io.BytesIO()
with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as f:
    f.write(json.dumps({"corpus": corpus, "tokenizers": out}, ensure_ascii=False, separators=(",", ":")).encode())
open(os.path.join(here, "fixture.json.gz"), "wb").write(raw.getvalue())
print(len(made), "tokenizers", len(strings), "strings", len(raw.getvalue()), "bytes")
