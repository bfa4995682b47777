// Package bench is the room of measurements whose numbers stand in the
// documents: each is a command in a folder of its own.
//
//	read        reading, typing and checking a million rows, beside pandas
//	accuracy    hone init and hone run on public tables, beside scikit-learn's figures
//	media       hone init and hone run on public sets of texts and images
//	networks    candidates for the default network, by validation folds
//	tables      the same beside peers that are run here: scikit-learn, LightGBM, CatBoost, RealMLP
//	tokenizers  tokens of the text sets, compared with and measured beside Hugging Face's tokenizers
//	encoders    vectors of texts by all-MiniLM-L6-v2, compared with and measured beside sentence-transformers and onnxruntime
//	engine      training steps, products and predictions of the engine, beside PyTorch, Keras, jax, onnxruntime, numpy
//	agreement   metrics beside scikit-learn, torchmetrics and sacrebleu: values, speed, memory
//	coverage    how often intervals hold the truth, and equal predictors have a winner
//
// A measurement uses hone as a user does, by its command or by the packages
// that are written to be imported; nothing imports it. What several share is in
// internal/public: the tables, and hone as its user calls it; and in internal/venv:
// the Python that peers run in. To add one, make a folder with a main package
// whose comment says how to call it, and a line above.
package bench
