package main

// A peer is what scikit-learn reaches on the same two files.
type peer struct {
	Linear float64 `json:"linear"` // logistic regression or ridge
	MLP    float64 `json:"mlp"`
	HGB    float64 `json:"hgb"` // histogram gradient boosting
}

// peersOrigin says where the peers' figures are from. They were obtained once;
// nothing here runs Python.
const (
	peersOrigin = versions + `, trained on the train file, scored once on the test file, random_state=0: ` + settings
	foldsOrigin = versions + `, RepeatedStratifiedKFold(n_splits=5, n_repeats=4, random_state=0) on all rows: ` + settings

	versions = `scikit-learn 1.2.1 (pandas 1.5.3, numpy 1.24.2)`
	settings = `LogisticRegression(max_iter=1000) or Ridge(), and MLPClassifier() or MLPRegressor() (of plain and standardised target the better one), ` +
		`on OneHotEncoder(handle_unknown="ignore") and median imputation with StandardScaler; ` +
		`HistGradientBoostingClassifier() or HistGradientBoostingRegressor() on OrdinalEncoder with categorical_features`
)

// peers are their figures, by set and metric.
var peers = map[string]map[string]peer{
	"adult":              {"accuracy": {0.8531, 0.8404, 0.8716}, "roc_auc": {0.9054, 0.8879, 0.9271}, "log_loss": {0.3176, 0.3876, 0.2772}},
	"breast-cancer":      {"accuracy": {0.9737, 0.9474, 0.9649}, "roc_auc": {0.9934, 0.9931, 0.9901}, "log_loss": {0.0922, 0.1118, 0.1192}},
	"heart-disease":      {"accuracy": {0.8361, 0.8197, 0.7869}, "roc_auc": {0.9480, 0.9383, 0.9177}, "log_loss": {0.2977, 0.3023, 0.3888}},
	"pima-diabetes":      {"accuracy": {0.7792, 0.8442, 0.7857}, "roc_auc": {0.8841, 0.8915, 0.8450}, "log_loss": {0.4179, 0.3949, 0.5582}},
	"california-housing": {"rmse": {68697.9, 53310.5, 46823.9}, "r2": {0.6381, 0.7821, 0.8319}, "mae": {49709.6, 36483.5, 31641.4}},
	"bike-sharing":       {"rmse": {133.90, 63.76, 69.36}, "r2": {0.6312, 0.9164, 0.9011}, "mae": {98.85, 42.67, 46.26}},
}

// foldPeers are their figures over folds, for the tables whose test files are
// too small to tell models apart.
var foldPeers = map[string]map[string]foldPeer{
	"breast-cancer": {
		"accuracy": {spread{0.9780, 0.0126}, spread{0.9763, 0.0167}, spread{0.9653, 0.0161}},
		"roc_auc":  {spread{0.9951, 0.0061}, spread{0.9951, 0.0061}, spread{0.9930, 0.0067}},
		"log_loss": {spread{0.0757, 0.0387}, spread{0.0757, 0.0529}, spread{0.1224, 0.0687}},
	},
	"heart-disease": {
		"accuracy": {spread{0.8465, 0.0494}, spread{0.8201, 0.0528}, spread{0.8076, 0.0497}},
		"roc_auc":  {spread{0.9103, 0.0419}, spread{0.8926, 0.0426}, spread{0.8802, 0.0432}},
		"log_loss": {spread{0.3843, 0.0979}, spread{0.4579, 0.1379}, spread{0.5117, 0.1372}},
	},
	"pima-diabetes": {
		"accuracy": {spread{0.7712, 0.0363}, spread{0.7643, 0.0328}, spread{0.7451, 0.0355}},
		"roc_auc":  {spread{0.8321, 0.0337}, spread{0.8329, 0.0312}, spread{0.7971, 0.0327}},
		"log_loss": {spread{0.4845, 0.0454}, spread{0.4835, 0.0447}, spread{0.6594, 0.0854}},
	},
}
