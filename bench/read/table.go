package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

// columns is the number of columns, target the one that a check is told of.
const (
	columns = 20
	target  = "churned"
)

// writeTable writes the table that is read.
func writeTable(path string, rows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "customer_id,age,visits,balance,rate,amount,score,latitude,tiny,discount,plan,city,product,channel,agent,joined,last_seen,newsletter,premium,churned")
	r := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	var b []byte
	text := func(s string) { b = append(append(b, s...), ',') }
	whole := func(v int64) { b = append(strconv.AppendInt(b, v, 10), ',') }
	float := func(v float64, format byte, digits int) {
		b = append(strconv.AppendFloat(b, v, format, digits, 64), ',')
	}
	missing := func(share float64) bool {
		if r.Float64() >= share {
			return false
		}
		b = append(b, ',')
		return true
	}
	yes := func(share float64) bool { return r.Float64() < share }
	for i := range rows {
		b = b[:0]
		whole(int64(100_000 + i))
		whole(18 + r.Int64N(70))
		if !missing(0.02) {
			whole(int64(math.Exp(2 + r.NormFloat64())))
		}
		whole(r.Int64N(2_000_000) - 500_000)
		if !missing(0.05) {
			float(r.Float64(), 'f', 4)
		}
		float(math.Exp(4+1.5*r.NormFloat64()), 'f', 2)
		float(r.NormFloat64(), 'f', -1) // as many digits as it takes, 17 for most
		float(40+10*r.Float64(), 'f', 6)
		float(math.Exp(-20+5*r.NormFloat64()), 'e', 8)
		if !missing(0.3) {
			float(float64(r.IntN(21))*2.5, 'f', 1)
		}
		text([]string{"basic", "basic", "plus", "pro"}[r.IntN(4)])
		text(fmt.Sprintf("City %03d", int(200*math.Pow(r.Float64(), 2))))
		text(fmt.Sprintf("SKU-%05d", r.IntN(20_000)))
		if !missing(0.01) {
			text([]string{"web", "phone", "shop", `"partner, retail"`, `"partner, trade"`}[r.IntN(5)])
		}
		text(fmt.Sprintf("agent_%c%d", 'a'+rune(r.IntN(26)), r.IntN(40)))
		joined := start.Add(time.Duration(r.Int64N(3650*24*3600)) * time.Second)
		text(joined.Format("2006-01-02"))
		if !missing(0.04) {
			text(joined.Add(time.Duration(r.Int64N(400*24*3600)) * time.Second).Format("2006-01-02 15:04:05"))
		}
		text([]string{"no", "yes"}[r.IntN(2)])
		text(strconv.FormatBool(yes(0.3)))
		b = strconv.AppendInt(b, int64(r.IntN(10)/8), 10)
		if _, err := w.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
