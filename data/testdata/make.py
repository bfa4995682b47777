"""Writes the fixtures beside it: one table as every kind of source.

Made with pandas 3.1.1, pyarrow 26.0.1, openpyxl 3.1.5, zstandard 0.25.0:
    python data/testdata/make.py
"""
import datetime
import decimal
import gzip
import json
import os

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(0)
n = 300

path = lambda name: os.path.join(here, name)

df = pd.DataFrame({
    "whole": pd.array(rng.integers(-5, 1000, n), dtype="Int64"),
    "ratio": rng.normal(size=n).round(13),  # openpyxl writes 16 digits
    "paid": pd.array(rng.random(n) < 0.3, dtype="boolean"),
    "city": rng.choice(["Köln", "Paris", "San José, CA", 'the "Rock"'], n).astype(object),
    "code": [f"{i % 40:05d}" for i in range(n)],
    "day": [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i)) for i in rng.integers(0, 400, n)],
    "at": [datetime.datetime(2024, 1, 1, 0, 0, 1) + datetime.timedelta(seconds=int(i)) for i in rng.integers(0, 10**7, n)],
    "price": [decimal.Decimal(int(i)).scaleb(-2) for i in rng.integers(-10000, 1000000, n)],
})
for name in df.columns:
    df.loc[rng.random(n) < 0.07, name] = None


def text(v):
    if v is None or v is pd.NA or v is pd.NaT or v != v:
        return None
    if isinstance(v, (bool, np.bool_)):
        return bool(v)
    if isinstance(v, (int, np.integer)):
        return int(v)
    if isinstance(v, (float, np.floating)):
        return float(v)
    if isinstance(v, decimal.Decimal):
        return float(v)
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(v, datetime.date):
        return v.strftime("%Y-%m-%d")
    return v


rows = [{k: text(v) for k, v in zip(df.columns, row)} for row in df.itertuples(index=False)]
plain = pd.DataFrame([{k: str(v).lower() if isinstance(v, bool) else v for k, v in r.items()} for r in rows], dtype=object, columns=df.columns)

csv = plain.to_csv(index=False)
write = lambda name, data: open(path(name), "wb").write(data)
write("table.csv", csv.encode())
write("table.csv.gz", gzip.compress(csv.encode(), mtime=0))
write("table.csv.zst", zstandard.compress(csv.encode()))
jsonl = "".join(json.dumps(r, ensure_ascii=i % 2 == 0) + "\n" for i, r in enumerate(rows))
write("table.jsonl", jsonl.encode())
write("table.jsonl.zst", zstandard.compress(jsonl.encode()))
for k in range(3):
    plain[k * 100:(k + 1) * 100].to_csv(path(f"part-{k}.csv"), index=False, columns=list(df.columns)[:: -1 if k else 1])

schema = pa.schema([
    ("whole", pa.int32()), ("ratio", pa.float64()), ("paid", pa.bool_()), ("city", pa.string()), ("code", pa.string()),
    ("day", pa.date32()), ("at", pa.timestamp("us")), ("price", pa.decimal128(12, 2)),
])
arrow = pa.Table.from_pandas(df, schema=schema, preserve_index=False)
pq.write_table(arrow, path("table.parquet"), row_group_size=70, compression="snappy")
pq.write_table(arrow, path("table-zstd.parquet"), compression="zstd", use_dictionary=False, column_encoding={"paid": "PLAIN"}, data_page_size=512, data_page_version="2.0", use_deprecated_int96_timestamps=True)

# What a table of one kind of value does not show.
more = pa.table({
    "small": pa.array([1, -2, None], pa.int8()), "large": pa.array([2**63, 1, None], pa.uint64()),
    "single": pa.array([0.1, 2.5, None], pa.float32()),
    "nan": pa.array([1.0, float("nan"), None]),
    "ms": pa.array([0, 1500, None], pa.timestamp("ms", tz="UTC")), "ns": pa.array([0, 1, None], pa.timestamp("ns")),
    "time": pa.array([datetime.time(1, 2, 3), None, datetime.time(23, 59, 59)], pa.time64("us")),
    "dict": pa.array(["a", None, "b"]).dictionary_encode(),
    "list": pa.array([[1, 2], [], None], pa.list_(pa.int64())),
    "words": pa.array([["x", 'y"'], [None], None], pa.list_(pa.string())),
    "struct": pa.array([{"x": 1, "y": {"z": "k"}}, {"x": None, "y": None}, None], pa.struct([("x", pa.int64()), ("y", pa.struct([("z", pa.string())]))])),
    "wide": pa.array([decimal.Decimal("-12345678901234567890.123"), decimal.Decimal("0.005"), None], pa.decimal128(30, 3)),
    "small_decimal": pa.array([decimal.Decimal("-1.50"), decimal.Decimal("0.07"), None], pa.decimal128(5, 2)),
})
pq.write_table(more, path("types.parquet"), store_decimal_as_integer=False)

pq.write_table(arrow.select(["paid", "city"]), path("run-length.parquet"), data_page_version="2.0", column_encoding={"paid": "RLE"}, use_dictionary=False)

book = openpyxl.Workbook()
sheet = book.active
sheet.title = "data"
sheet.append(list(df.columns))
for r, row in zip(rows, df.itertuples(index=False)):
    cells = list(r.values())
    for i, name in enumerate(df.columns):
        if name in ("day", "at") and cells[i] is not None:
            cells[i] = row[i].to_pydatetime() if hasattr(row[i], "to_pydatetime") else row[i]
    sheet.append(cells)
for row in sheet.iter_rows(min_row=2):
    if row[5].value is not None:
        row[5].number_format = "yyyy-mm-dd"
    if row[6].value is not None:
        row[6].number_format = "yyyy-mm-dd hh:mm:ss"
notes = book.create_sheet("notes")
notes.append(["about", "n"])
notes["A3"], notes["B3"] = "third", 3
notes["A4"], notes["B4"] = "=1+1", 4.5
stamp = datetime.datetime(2024, 1, 1)
book.properties.created = book.properties.modified = stamp
book.save(path("table.xlsx"))
