"""Prints the scores that search_test.go holds search against.

NGrams: scikit-learn 1.9.1's TfidfVectorizer. BM25: the formula of Robertson and
Zaragoza 2009, equation 3.15, with Lucene's idf, written out.
"""
import math
import re

from sklearn.feature_extraction.text import TfidfVectorizer

docs = ["Where is my parcel?", "How do I return a parcel that came damaged", "Opening hours of the shop",
        "The parcel shop is closed; where do I go?", "a I"]
queries = ["where is the parcel shop", "Retour parcels parcels", "i parcel parcel"]

tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
rows = tfidf.fit_transform(docs)
words = [re.findall(r"\w+", d.lower()) for d in docs]
mean = sum(map(len, words)) / len(docs)


def bm25(query, row):
    score = 0
    for w in re.findall(r"\w+", query.lower()):
        df, tf = sum(w in other for other in words), row.count(w)
        idf = math.log(1 + (len(docs) - df + 0.5) / (df + 0.5))
        score += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(row) / mean)) if tf else 0
    return score


for q in queries:
    print(q)
    print("  ngrams", [round(float(x), 7) for x in (tfidf.transform([q]) @ rows.T).toarray()[0]])
    print("  bm25  ", [round(bm25(q, row), 7) for row in words])
