// Package data turns files into typed columns.
//
// [Read] gives a whole file as a [Table]; [Open] and [Reader.Next] give it in
// pieces, in memory that does not grow with the file; [FromRecords] types rows
// that arrived as JSON by the same rules. [Split] divides a table's rows and
// [Profile] says what is in it and which columns had better not be inputs, and
// [Check] looks for everything else that may be wrong with it.
//
// # Reading
//
// A source is one file or several that hold one table, named by a pattern such as
// part-*.csv or in a list: their columns are found by name, and must be the same
// in all. A file is of one of these kinds, found by looking at its content:
//
//   - CSV and the like, plain or compressed by gzip or zstd. What is not said in
//     [Options] is found by looking at the first megabyte: compression, a
//     byte-order mark, the delimiter (comma, semicolon, tab or bar) and whether the
//     first row is a header. A field may be quoted; inside quotes a doubled quote
//     stands for one and line ends are kept. A quote inside an unquoted field is a
//     character like any other. Empty lines are skipped. Line ends are LF or CRLF.
//   - JSON Lines, compressed or not: an object a line. The fields of a nested object
//     are columns named with dots, an array is text, and a field that a line lacks
//     is missing, as null is.
//   - Parquet. Nested fields and lists are as in JSON. Columns of lists of lists, and
//     booleans that are run-length encoded, are refused.
//   - Excel workbooks (.xlsx): one sheet. A date is what the cell's format shows of
//     it, a duration a number.
//   - Images with their classes: a folder with a folder for each class, the files of
//     the MNIST family (IDX), the arrays of a NumPy file (.npz). [Divided] finds the
//     parts for training and test that such a source has by itself.
//
// Every kind gives text, typed by the rules below: one table is the same from
// every kind. Memory does not grow with the file but for the text that the cells
// of a workbook share.
//
// [Read] takes one pass: columns are built as the types that the first rows
// suggest while all rows are looked at, and only columns that turn out otherwise
// are read again. CSV is divided into fields many rows at a time (cells.go) and
// read a column at a time (track.go); the scanner reads what is not well-formed,
// for its errors. With [Options].CacheDir, a large source is kept as it is in
// memory and mapped the next time (cache.go).
//
// # Types
//
// A column's type is that of all its values that are not missing, so it takes a
// whole pass over the file, which both cores share:
//
//   - Number: plain or scientific notation. Whole numbers stay numbers however
//     few of them are distinct, 0/1 included (see [TargetKind] for targets). A
//     decimal comma, thousands apart (1,234; 1.234,50; 1 234; 1'234), a currency
//     and a percent sign are understood where all values of the column agree,
//     and noted; in a file with decimal commas, a column of which every point has
//     three digits behind it has thousands apart. Data.thousands declares it. Not
//     numbers: whole numbers of which some have a leading zero or more than 15
//     digits, for those are codes. An infinity is an error, not a value.
//   - Boolean: one of the pairs true/false, yes/no, y/n, t/f, on/off, in any case.
//   - Datetime: one layout of a list for all values, kept as Unix seconds. When
//     no value tells month from day, month first is assumed and the field's note
//     says so.
//   - Identifier: text of which 90 % or more of at least 20 values are distinct;
//     whole numbers that are all distinct and are named like an identifier or
//     number the rows.
//   - Text: sentences rather than labels (three words or more on average, mostly
//     distinct; or eight words and more).
//   - Image: paths of images relative to the file, of which the first is there;
//     bytes of images in Parquet; data:image/… URLs. The column holds references or
//     the images' files, never pixels; [Column.Picture] opens them, and equal ones
//     are found by their hashes.
//   - Set: labels, parted or as a JSON array, where that is declared; see [SplitSet].
//     Such a column is otherwise text or a category, and as a target is taken for
//     sets by [TargetKind] where short lists of recurring words stand in it.
//   - Category: any other text, and a column without any value.
//
// A value is missing when, without surrounding spaces and in any case, it is
// empty, one of [MissingValues] or one of the column's own. Numbers, categories,
// booleans and dates are read without surrounding spaces; identifiers and text are
// kept as they are.
//
// # Cleaning
//
// A [Step] is a declared cleaning step: a [ValueStep] changes values, each by
// itself, and travels with a model; a [RowStep] chooses rows. [Expr] is the
// language of conditions.
//
// # Errors
//
// What is wrong with a file is an [*Error]: one paragraph that names file, line
// (or row, where there are no lines) and column, what was found, what was expected and what to do.
//
// # For those who change it
//
// Package data may be imported by feature, model and the lifecycle; it imports
// nothing of hone but small helpers of internal. Another kind of source is one more file with a decoder and one
// more line in kinds; another compression is one more line in compressions,
// another date layout one more in layouts; another finding is one more function in
// the table of check.go, in the file of its family: check_rows.go,
// check_values.go, check_columns.go or check_files.go. Another cleaning step is one
// more file clean_….go and one more line in stepTypes.
package data
