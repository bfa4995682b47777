// Package serve answers predictions over HTTP, and asks for them.
//
// [New] makes a [Server] of a model; [Server.Run] listens, warms the model up
// and, when its context ends, finishes what it has begun. [Server.Handler] is
// the same for a server of one's own. [Client] is the other end: a
// model.Predictor over the network, by which evaluation reaches a live model.
//
// # Routes
//
//	POST /v1/predict  {"rows":[{column: value, …}, …]} or {"row":{…}} → predictions;
//	                  with "coverage":0.9 beside them also sets of classes or intervals
//	GET  /v1/schema   inputs, target, classes, an example row
//	GET  /            a page to try the model on, made from the schema
//	POST /v1/answer   {"question": "…"} → an answer and its sources; of a bundle that has answers,
//	                  whose page at / is a chat and whose page to try the model is /form
//	GET  /healthz     the process answers
//	GET  /readyz      a prediction was made, so the next one is fast
//	GET  /metrics     Prometheus
//
// Values are typed by the rules of files (data.FromRecords). Every input must
// be there, null where its value is missing; a name that neither the model nor
// its training data knows is an error, so that a typing error cannot pass for
// a missing value. Numbers come back in the shortest spelling that gives the
// same float64, so that measuring a model over HTTP gives the numbers of
// measuring it here. Errors are {"error":{"message":…,"row":…,"column":…}}
// with rows counted from 1.
//
// # Safety
//
// Off loopback there must be a key, and every route demands it; paths that are
// not in the table of routes are denied alike. On loopback without a key the
// Host header must name this machine, so that a page elsewhere cannot reach
// the server by rebinding its name. No response permits another origin. Bodies,
// rows and requests at a time are bounded, and what is too much is refused
// with 503 and Retry-After rather than taken on.
//
// # For those who change it
//
// serve imports model and what that imports; lifecycle and cmd import it.
// Another route is one line in the table in routes.go and a file with its
// handler.
package serve
