package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// exprRows has every type of column, a value of each missing in the last row, and
// names that need quoting.
const exprRows = "age,capital-gain,plan,note,member,since,a.b,in,of\n" +
	"17,0,basic,\"he said \"\"no\"\"\",no,01/03/2020,1,1,2\n" +
	"18,100,pro,it's,yes,15/07/2021,2,1,2\n" +
	"40,-5,team,plain,yes,31/12/2021,3,3,2\n" +
	",,,,,,,,\n"

func exprTable(t testing.TB) *Table {
	table, _ := mustRead(t, exprRows, Options{Types: map[string]Type{"plan": Category, "note": Text}})
	return table
}

func TestExpr(t *testing.T) {
	table := exprTable(t)
	for where, want := range map[string]string{ // y, n or ? for each row
		`age >= 18`:      "nyy?",
		`age>=18`:        "nyy?",
		`18 <= age`:      "nyy?",
		`age = 18`:       "nyn?",
		`age != 18`:      "yny?",
		`age <> 18`:      "yny?",
		`NOT age == 18`:  "yny?",
		`not not age<18`: "ynn?",
		`age < 18 or age > 30 and plan == "team"`:    "yny?",
		`(age < 18 or age > 30) and plan == "team"`:  "nny?",
		`plan in ("basic", 'pro') and age < 18`:      "ynn?",
		`plan in ["basic", "pro"]`:                   "yyn?",
		`plan not in ("basic", "pro")`:               "nny?",
		`"pro" == plan`:                              "nyn?",
		`plan == note`:                               "nnn?",
		`note == "he said ""no"""`:                   "ynn?",
		`note == 'it''s'`:                            "nyn?",
		`note == "it's"`:                             "nyn?",
		`age is missing`:                             "nnny",
		`age is not missing`:                         "yyyn",
		`plan is missing or plan == "pro"`:           "nyny",
		`member is missing`:                          "nnny",
		`age + 1 is missing`:                         "nnny",
		`(age > 3) is missing`:                       "nnny",
		`age / 0 is missing`:                         "yyyy",
		`member`:                                     "nyy?",
		`not member`:                                 "ynn?",
		`member == "Yes"`:                            "nyy?",
		`member != "yes"`:                            "ynn?",
		`member == true`:                             "nyy?",
		`member in ("yes", false)`:                   "yyy?",
		`member == (age > 17)`:                       "yyy?",
		"`capital-gain` > 0":                         "nyn?",
		"`capital-gain` in (0, -5)":                  "yny?",
		"`capital-gain` < -1":                        "nny?",
		`a.b * 2 + 1 == 5`:                           "nyn?",
		`age - 10 - 5 == 3`:                          "nyn?", // (age - 10) - 5
		`2 * -(a.b + 1) <= -6`:                       "nyy?",
		`-a.b == -3`:                                 "nny?",
		`age / 2 / 3 == 3`:                           "nyn?",
		"`in` == of - 1":                             "yyn?",
		`since >= "2021-07-15"`:                      "nyy?",
		`since == "15/07/2021"`:                      "nyn?",
		`"2021-07-15" < since`:                       "nny?",
		`since in ("01/03/2020", "2021-12-31")`:      "yny?",
		`age > 17 or true`:                           "yyyy",
		`age > 17 and false`:                         "nnnn",
		`age > 17 or age is missing`:                 "nyyy",
		`age < 1e3 and age > .5`:                     "yyy?",
		"age > 1\n and\tage < 20":                    "yyn?",
		`not (age > 17 and age < 40) and plan != ""`: "yny?",
	} {
		e, err := ParseExpr(where)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		holds, err := e.condition(table)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		got := ""
		for i := range table.Rows {
			got += string("?ny"[holds(i)+1])
		}
		if got != want {
			t.Errorf("%s: got %s, expected %s", where, got, want)
		}
	}
	e, err := ParseExpr("age / 2 + `capital-gain`")
	if err != nil {
		t.Fatal(err)
	}
	value, err := e.value(table)
	if err != nil {
		t.Fatal(err)
	}
	if value(1) != 109 || !math.IsNaN(value(3)) {
		t.Errorf("found %v and %v, expected 109 and NaN", value(1), value(3))
	}
	if got := e.Columns(); !slices.Equal(got, []string{"age", "capital-gain"}) {
		t.Errorf("columns %q", got)
	}
}

func TestExprErrors(t *testing.T) {
	table := exprTable(t)
	for where, want := range map[string]string{
		``:                                     "column 1: expected a column, a number, text in quotes or (, found the end",
		`age >= `:                              "column 8: expected a column, a number, text in quotes or (, found the end",
		`age >= 18 and`:                        "column 14: expected a column",
		`age >= 18 && plan`:                    `column 11: expected an operator or the end (write and), found "&&"`,
		`(age > 1 || member)`:                  `column 10: expected an operator or ) (write or), found "||"`,
		`!member`:                              "column 1: expected a column, a number, text in quotes or ( (write not)",
		`age % 2 == 0`:                         "(+, -, * and / are understood)",
		`(age > 3`:                             "column 9: expected an operator or ), found the end",
		`age > 3)`:                             `column 8: expected an operator or the end, found ")"`,
		`0 < age < 9`:                          `column 9: found a second comparison "<"; join two by and`,
		`age in 3`:                             `column 8: expected a list such as (1, 2) or ("a", "b"), found "3"`,
		`age in ()`:                            `column 9: expected a number, text in quotes, true or false, found ")"`,
		`age in (1 2)`:                         `column 11: expected a comma or ), found "2"`,
		`age in (1, plan)`:                     `column 12: expected a number, text in quotes, true or false, found "plan"`,
		`age is 3`:                             `column 8: expected missing, found "3"`,
		`age is not`:                           `column 11: expected missing, found the end`,
		`age not 3`:                            `column 9: expected in, as in: not in (1, 2), found "3"`,
		`plan == "pro`:                         `column 9: expected a closing ", found the end`,
		"`plan == 3":                           "column 1: expected a closing `, found the end",
		`age == 18years`:                       `column 8: expected an operator after the number "18", found 'y'`,
		`age == 1e999`:                         `column 8: expected a finite number, found "1e999"`,
		`age == 1.2.3`:                         `column 8: expected a finite number, found "1.2.3"`,
		`age ? 3`:                              `column 5: found '?', which no expression has`,
		`ä == "é" ; x`:                         `column 10: found ';'`,
		"age > \xff":                           "column 7: the text is not UTF-8",
		`agee > 3`:                             `column 1: there is no column "agee": it has age, capital-gain, plan, note, member, since, a.b, in, of; did you mean age?`,
		`capital-gain > 3`:                     "column 1: there is no column \"capital\"",
		`age > capital - gain`:                 "did you mean `capital-gain`?",
		`age == "18"`:                          `column 8: a number cannot be compared with text; write the number without quotes`,
		`plan == 3`:                            `column 6: "plan" (category) cannot be compared with a number; put the value in quotes`,
		`plan in ("a", 3)`:                     `column 15: "plan" (category) cannot be compared with a number; put the value in quotes`,
		`plan < "pro"`:                         "column 6: text has no order: ==, != and in compare it, found <",
		`age in ("x")`:                         "column 9: a number cannot be compared with text",
		`member == "maybe"`:                    `column 11: "member" holds "no" and "yes", found "maybe"`,
		`member > 1`:                           "column 8: a condition cannot be compared with a number",
		`since > 2021`:                         `column 7: a date cannot be compared with a number; write a date as text, as in "2024-12-31"`,
		`since > "yesterday"`:                  `column 9: expected a date written as 02/01/2006 or 2006-01-02, found "yesterday"`,
		`since + 1 > "2021-01-01"`:             "column 1: expected a number to calculate with, found a date",
		`plan + 1 > 2`:                         `column 1: expected a number to calculate with, found "plan" (category)`,
		`age and member`:                       "column 1: and joins conditions, found a number",
		`not plan`:                             `column 5: not joins conditions, found "plan" (category)`,
		`age + 1`:                              "column 1: expected a condition such as age >= 18, found a number",
		`"a" == "a"`:                           "column 8: expected a column before ==, found text",
		`"a" is missing`:                       "column 1: expected a column before is missing, found text",
		strings.Repeat("(", 101) + "age":       "column 101: more than 100 levels within each other",
		strings.Repeat("-", 101) + "age":       "column 101: more than 100 levels within each other",
		strings.Repeat("not ", 101) + "member": "column 401: more than 100 levels within each other",
		"age" + strings.Repeat("+1", 1001):     "more than 1000 operators in a row",
		"age == " + strings.Repeat("1", longestExpr):      "the expression has 10007 bytes, expected at most 10000",
		"plan in (" + strings.Repeat(`"a",`, 100) + `"b"`: "expected a comma or ), found the end",
	} {
		e, err := ParseExpr(where)
		if err == nil {
			_, err = e.condition(table)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: found %v, expected %s", where, err, want)
		}
	}
	if _, err := (Expr{}).condition(table); err == nil {
		t.Error("no expression is a condition")
	}
}

// TestQuoteColumn writes names that are read as the same names.
func TestQuoteColumn(t *testing.T) {
	for _, name := range []string{"age", "a.b", "_x1", "größe", "capital-gain", "in", "NOT", "1st", "", "a b", "x`y", "日付", ".a"} {
		e, err := ParseExpr(QuoteColumn(name) + " is missing and note == " + quoteLiteral(name+`"`))
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if got := e.Columns(); got[0] != name || e.root.args[1].args[1].text != name+`"` {
			t.Errorf("%q is read as %q", name, got)
		}
	}
}

// FuzzExpr holds that no text breaks the parser or the evaluation, and that what is
// understood is understood the same again.
func FuzzExpr(f *testing.F) {
	table := exprTable(f)
	for _, s := range []string{`age >= 18 and plan in ("a", 'b') or not member`, "`capital-gain` is not missing", `-(a.b+1)*2/3 < 1e-3`,
		`since > "2021-01-01"`, `age not in [1, -2]`, `plan == "x""y"`, "((((", "1 1", "\xff", "`in", `"`, `age = .`, `member == true`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseExpr(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "column ") && len(text) <= longestExpr {
				t.Fatalf("the error tells no place: %v", err)
			}
			return
		}
		raw, err := e.MarshalText()
		var again Expr
		if err == nil {
			err = again.UnmarshalText(raw)
		}
		if err != nil || fmt.Sprint(again.Columns()) != fmt.Sprint(e.Columns()) {
			t.Fatalf("%q is not understood again: %v", text, err)
		}
		if holds, err := e.condition(table); err == nil {
			for i := range table.Rows {
				if v := holds(i); v < unknown || v > yes {
					t.Fatalf("%q gives %d", text, v)
				}
			}
		}
		if value, err := e.value(table); err == nil {
			for i := range table.Rows {
				if math.IsInf(value(i), 0) {
					t.Fatalf("%q gives an infinity", text)
				}
			}
		}
	})
}
