package serve

import (
	"fmt"
	"net/http"
	"strconv"
)

// Error is a mistake of the user's or of a client's, and what to do about it.
type Error struct {
	Status  int    // of HTTP; 0 where it is not about a request
	Row     int    // from 1; 0 where it is not about one of several rows
	Column  string // "" where it is not about a column
	Problem string // what was found, what was expected, what to do
}

func (e *Error) Error() string { return e.where() + e.Problem }

// UserError marks the error as the user's to mend, not ours.
func (e *Error) UserError() bool { return e.Status < 500 }

func (e *Error) where() string {
	switch {
	case e.Row > 0 && e.Column != "":
		return fmt.Sprintf("row %d, column %q: ", e.Row, e.Column)
	case e.Row > 0:
		return fmt.Sprintf("row %d: ", e.Row)
	case e.Column != "":
		return fmt.Sprintf("column %q: ", e.Column)
	}
	return ""
}

// errorReply is an Error in JSON.
type errorReply struct {
	Error struct {
		Message string `json:"message"`
		Row     int    `json:"row,omitempty"`
		Column  string `json:"column,omitempty"`
	} `json:"error"`
}

// writeError replies with an error.
func writeError(w http.ResponseWriter, e *Error) {
	var r errorReply
	r.Error.Message, r.Error.Row, r.Error.Column = e.Error(), e.Row, e.Column
	b, err := marshal(r, "")
	if err != nil { // text and numbers always have a spelling in JSON
		b = []byte(`{"error":{"message":"internal error"}}`)
	}
	writeJSON(w, e.Status, append(b, '\n'))
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// Who has gone away cannot be told.
	_, _ = w.Write(body)
}
