package main

// A set is a table with a test file of its own.
type set struct {
	name        string
	train, test string // in the folder of that name
	target      string
	overrides   []string // of hone run, beyond the seed; each with its reason in note
	note        string
	metrics     []string
	peers       map[string]peer // by metric
}

// A peer is what scikit-learn reaches on the same two files.
type peer struct {
	Linear float64 `json:"linear"` // logistic regression or ridge
	MLP    float64 `json:"mlp"`
}

// peersOrigin says where the peers' figures are from. They were obtained once;
// nothing here runs Python.
const peersOrigin = `scikit-learn 1.2.1 (pandas 1.5.3, numpy 1.24.2), trained on the train file, scored once on the test file, random_state=0: ` +
	`LogisticRegression(max_iter=1000) or Ridge(), and MLPClassifier() or MLPRegressor() (of plain and standardised target the better one), ` +
	`on OneHotEncoder(handle_unknown="ignore") and median imputation with StandardScaler`

var (
	classMetrics  = []string{"accuracy", "roc_auc", "log_loss"}
	numberMetrics = []string{"rmse", "r2", "mae"}
)

// sets are the tables of the data folder, with the peers' figures.
var sets = []set{
	{name: "adult", train: "train.csv.gz", test: "test.csv", target: "income", metrics: classMetrics,
		peers: map[string]peer{"accuracy": {0.8531, 0.8404}, "roc_auc": {0.9054, 0.8879}, "log_loss": {0.3176, 0.3876}}},
	{name: "breast-cancer", train: "train.csv", test: "test.csv", target: "diagnosis", metrics: classMetrics,
		peers: map[string]peer{"accuracy": {0.9737, 0.9474}, "roc_auc": {0.9934, 0.9931}, "log_loss": {0.0922, 0.1118}}},
	{name: "heart-disease", train: "train.csv", test: "test.csv", target: "disease", metrics: classMetrics,
		peers: map[string]peer{"accuracy": {0.8361, 0.8197}, "roc_auc": {0.9480, 0.9383}, "log_loss": {0.2977, 0.3023}}},
	{name: "pima-diabetes", train: "train.csv", test: "test.csv", target: "Outcome", metrics: classMetrics,
		peers: map[string]peer{"accuracy": {0.7792, 0.8442}, "roc_auc": {0.8841, 0.8915}, "log_loss": {0.4179, 0.3949}}},
	{name: "california-housing", train: "train.csv", test: "test.csv", target: "median_house_value", metrics: numberMetrics,
		peers: map[string]peer{"rmse": {68697.9, 53310.5}, "r2": {0.6381, 0.7821}, "mae": {49709.6, 36483.5}}},
	{name: "bike-sharing", train: "train.csv", test: "test.csv", target: "cnt", metrics: numberMetrics,
		overrides: []string{"data.split.method=time", "data.split.column=dteday"},
		note:      "the test file is the period after the train file, so the validation rows are the last of the train file",
		peers:     map[string]peer{"rmse": {133.90, 63.76}, "r2": {0.6312, 0.9164}, "mae": {98.85, 42.67}}},
}
