package customers

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Rows and Seed are those of the example's file.
const (
	Rows = 20_000
	Seed = 7
)

// Customer is one row. A negative number, a zero time and an empty text are
// missing values.
type Customer struct {
	ID            string
	Signup        time.Time
	LastContact   time.Time
	Region        string
	Age           int
	Plan          string
	Contract      string
	Payment       string
	Autopay       bool
	Tenure        int // months
	Charge        float64
	Total         float64
	DataGB        float64
	Tickets       int
	LatePayments  int
	Satisfaction  int // 1 to 5
	Reason        string
	Churn         bool
	Probability   float64 // of having left; not written to the file
	neverAnswered bool
}

// Header names the columns.
const Header = "customer_id,signup_date,last_contact,region,age,plan,contract,payment_method,autopay,tenure_months,monthly_charge,total_charges,data_gb,support_tickets,late_payments,satisfaction,currency,cancellation_reason,churn"

type choice struct {
	name   string
	weight float64
}

var (
	regions = []choice{{"capital", 24}, {"north", 17}, {"south", 16}, {"coast", 14}, {"east", 12}, {"west", 10}, {"highlands", 5}, {"lakes", 1.2}, {"islands", 0.5}, {"border", 0.2}, {"overseas", 0.1}}
	plans   = []choice{{"basic", 34}, {"plus", 33}, {"pro", 19}, {"family", 14}}
	terms   = []choice{{"monthly", 46}, {"one year", 32}, {"two years", 22}}
	pays    = []choice{{"card", 41}, {"bank transfer", 33}, {"invoice", 17}, {"wallet", 9}}
	reasons = []choice{{"price", 36}, {"service", 27}, {"competitor", 22}, {"moved", 10}, {"other", 5}}
)

// today is the day on which the customers are looked at.
var today = time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC)

func pick(r *rand.Rand, from []choice) string {
	sum := 0.0
	for _, c := range from {
		sum += c.weight
	}
	x := r.Float64() * sum
	for _, c := range from {
		if x -= c.weight; x < 0 {
			return c.name
		}
	}
	return from[len(from)-1].name
}

// Generate makes n customers. The same seed makes the same customers.
func Generate(n int, seed uint64) []Customer {
	r := rand.New(rand.NewPCG(seed, 0x636875726e))
	list := make([]Customer, n)
	for i := range list {
		list[i] = one(r)
		list[i].ID = fmt.Sprintf("C%06d", 100_000+(i*7919+int(seed))%900_000)
	}
	return list
}

func one(r *rand.Rand) Customer {
	c := Customer{
		Region: pick(r, regions), Plan: pick(r, plans), Contract: pick(r, terms), Payment: pick(r, pays),
		Age: min(92, max(18, int(46+16*r.NormFloat64()))),
	}
	days := min(3000, 12+int(620*r.ExpFloat64()))
	c.Signup = today.AddDate(0, 0, -days)
	c.Tenure = days * 12 / 365
	c.Autopay = r.Float64() < map[string]float64{"card": 0.7, "bank transfer": 0.6, "invoice": 0.1, "wallet": 0.4}[c.Payment]

	// Prices follow the plan, not what is used.
	price := map[string]float64{"basic": 19, "plus": 34, "pro": 58, "family": 72}[c.Plan]
	need := map[string]float64{"basic": 7, "plus": 16, "pro": 34, "family": 48}[c.Plan]
	c.Charge = math.Round(price*(1+0.16*r.NormFloat64())*20) / 20
	c.Charge = max(9, c.Charge)
	c.DataGB = math.Round(need*math.Exp(0.75*r.NormFloat64())*10) / 10
	c.Total = math.Round(c.Charge * (float64(c.Tenure) + r.Float64()))

	trouble := math.Exp(0.9 * r.NormFloat64())
	c.Tickets = poisson(r, 1.1*trouble)
	c.LatePayments = poisson(r, map[bool]float64{true: 0.35, false: 0.9}[c.Autopay])
	c.Satisfaction = min(5, max(1, int(math.Round(3.9-0.42*float64(c.Tickets)+0.9*r.NormFloat64()))))
	silence := 1 + int(75*r.ExpFloat64())
	c.neverAnswered = silence > min(days, 200)
	if !c.neverAnswered {
		c.LastContact = today.AddDate(0, 0, -silence).Add(time.Duration(8*60+r.IntN(48)*15) * time.Minute)
	}

	c.Probability = 1 / (1 + math.Exp(-c.score(silence)))
	c.Churn = r.Float64() < c.Probability
	if c.Churn {
		c.Reason = pick(r, reasons)
	}

	// What is missing is missing by chance, but that content customers seldom
	// answer the survey.
	if r.Float64() < 0.05+0.05*float64(c.Satisfaction) {
		c.Satisfaction = -1
	}
	if r.Float64() < 0.04 {
		c.Age = -1
	}
	if r.Float64() < 0.03 {
		c.DataGB = -1
	}
	if r.Float64() < 0.015 {
		c.Payment = ""
	}
	return c
}

// score is the log-odds of leaving.
func (c *Customer) score(silence int) float64 {
	s := -4.1
	s += map[string]float64{"monthly": 1.6, "one year": 0, "two years": -1.4}[c.Contract]
	s += map[string]float64{"overseas": 1, "islands": 0.6, "capital": 0.3}[c.Region]

	// New customers leave, and those whose first term is about to end.
	s += 2.2 * math.Exp(-float64(c.Tenure)/9)
	switch {
	case c.Contract == "one year" && c.Tenure >= 10 && c.Tenure <= 15:
		s += 2.6
	case c.Contract == "two years" && c.Tenure >= 20 && c.Tenure <= 27:
		s += 3.6
	}

	// What a gigabyte costs tells whether the plan fits.
	fit := math.Log(c.Charge / (c.DataGB + 2))
	s += 1.5*math.Abs(fit-0.65) - 0.9 + 0.4*fit

	// The third ticket is one too many, unless somebody called back soon.
	s += 0.3 * float64(c.Tickets)
	if c.Tickets >= 3 {
		s += 1.4
		if !c.neverAnswered && silence < 20 {
			s -= 1.8
		}
	}
	s -= 0.8 * float64(c.Satisfaction-3)

	// Late payments mean little, but where the payment is automatic they mean an
	// account that was closed.
	s += 0.4 * float64(c.LatePayments)
	if c.Autopay {
		s -= 0.9
		if c.LatePayments >= 1 {
			s += 1.6
		}
	}
	d := (float64(c.Age) - 47) / 18
	return 1.12*s + 0.8*(d*d-0.8)
}

func poisson(r *rand.Rand, mean float64) int {
	n, p, limit := 0, r.Float64(), math.Exp(-mean)
	for p > limit && n < 15 {
		n++
		p *= r.Float64()
	}
	return n
}

// Write writes n customers as CSV.
func Write(w io.Writer, n int, seed uint64) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, Header)
	for _, c := range Generate(n, seed) {
		date := func(t time.Time, layout string) string {
			if t.IsZero() {
				return ""
			}
			return t.Format(layout)
		}
		whole := func(v int, missing string) string {
			if v < 0 {
				return missing
			}
			return strconv.Itoa(v)
		}
		decimals := func(v float64, digits int) string {
			if v < 0 {
				return ""
			}
			return strconv.FormatFloat(v, 'f', digits, 64)
		}
		yes := func(v bool) string {
			if v {
				return "yes"
			}
			return "no"
		}
		fmt.Fprintf(b, "%s,%s,%s,%s,%s,%s,%s,%s,%t,%d,%s,%s,%s,%d,%d,%s,EUR,%s,%s\n",
			c.ID, date(c.Signup, time.DateOnly), date(c.LastContact, "2006-01-02 15:04"), c.Region, whole(c.Age, ""), c.Plan, c.Contract, c.Payment, c.Autopay,
			c.Tenure, decimals(c.Charge, 2), decimals(c.Total, 0), decimals(c.DataGB, 1), c.Tickets, c.LatePayments, whole(c.Satisfaction, "NA"), c.Reason, yes(c.Churn))
	}
	return b.Flush()
}
