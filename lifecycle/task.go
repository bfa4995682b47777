package lifecycle

// What a file of predictions holds, where looking does not tell.
const (
	TaskSet        = "set"          // sets of labels
	TaskText       = "text"         // texts that were to be written
	TaskRanking    = "ranking"      // scores that rank the rows of each query
	TaskLanguage   = "language"     // likelihoods of texts
	TaskOutOfScope = "out_of_scope" // scores that are to be higher where a row is out of scope
)
