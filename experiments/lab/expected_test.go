package lab_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"peernet/experiments/lab"
)

// parameters are those of the experiments of the tests.
type parameters struct {
	A    float64   `json:"a"`
	B    float64   `json:"b"`
	Name string    `json:"name"`
	List []float64 `json:"list"`
}

// fake returns an experiment of these cases and controls.
func fake(cases, controls string, trial func(*lab.Trial, parameters) error) *lab.Experiment {
	return lab.New("fake", fstest.MapFS{
		"README.md":     {Data: []byte("# Fake\n\n**Question.** None.\n")},
		"expected.json": {Data: fmt.Appendf(nil, `{"title": "A fake", "source": "Nobody, 2001", "cases": [%s], "controls": [%s]}`, cases, controls)},
	}, trial)
}

// refusal is what New says of files that are wrong; empty if they are not.
func refusal(files fstest.MapFS) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	lab.New("fake", files, func(*lab.Trial, parameters) error { return nil })
	return ""
}

const goodCase = `{"name": "one", "seeds": 4, "quick": 4, "parameters": {"a": 1}, "expect": [{"measure": "m", "published": 0.5}, {"measure": "x", "published": 1, "ungated": "why"}]}`

// Mistakes in expected.json are found when the program starts, and named.
func TestExpectedIsValidated(t *testing.T) {
	expect := func(x string) string {
		return fmt.Sprintf(`{"name": "one", "seeds": 4, "expect": [%s]}, {"name": "two", "seeds": 1}`, x)
	}
	for _, test := range []struct {
		cases, controls string
		want            string // empty is no error
	}{
		{goodCase, ``, ``},
		{goodCase, `{"name": "wrong", "case": "one", "parameters": {"b": 2}, "fails": ["m"]}`, ``},
		{``, ``, "want a title, a source and cases"},
		{`{"seeds": 4}`, ``, `case 0, "": want a name of its own`},
		{goodCase + "," + goodCase, ``, `case 1, "one": want a name of its own`},
		{`{"name": "one"}`, ``, "case one: want seeds from 1 up, and quick from 0 to them"},
		{`{"name": "one", "seeds": 4, "quick": 5}`, ``, "case one: want seeds from 1 up, and quick from 0 to them"},
		{`{"name": "one", "seeds": 4, "quick": -1}`, ``, "case one: want seeds from 1 up, and quick from 0 to them"},
		{`{"name": "one", "seeds": 4, "sedes": 5}`, ``, `unknown field "sedes"`},
		{`{"name": "one", "seeds": 4, "parameters": {"c": 1}}`, ``, `case one: parameters: json: unknown field "c"`},
		{`{"name": "one", "seeds": 4, "parameters": {"a": "1"}}`, ``, "case one: parameters: json: cannot unmarshal string"},
		{expect(`{"published": 1}`), ``, "case one, measure : want the name of a measure"},
		{expect(`{"measure": "m"}`), ``, "case one, measure m: want one of published, bounds (least, most), and below"},
		{expect(`{"measure": "m", "published": 1, "least": 1}`), ``, "want one of published"},
		{expect(`{"measure": "m", "most": 1, "below": "two"}`), ``, "want one of published"},
		{expect(`{"measure": "m", "least": 1, "most": 2}`), ``, ``},
		{expect(`{"measure": "m", "least": 1, "tolerance": 2}`), ``, "a tolerance is of a published value"},
		{expect(`{"measure": "m", "below": "two"}`), ``, ``},
		{expect(`{"measure": "m", "below": "one"}`), ``, `below "one": want another case`},
		{expect(`{"measure": "m", "below": "three"}`), ``, `below "three": want another case`},
		{expect(`{"measure": "m", "published": "a"}`), ``, `"a": want a number`},
		{expect(`{"measure": "m", "published": ""}`), ``, `"": want a number`},
		{expect(`{"measure": "m", "published": null}`), ``, `"null": want a number`},
		{expect(`{"measure": "m", "published": "nan"}`), ``, `"nan": want a number`},
		{expect(`{"measure": "m", "published": "Inf"}`), ``, `"Inf": want a number`},
		{expect(`{"measure": "m", "published": "0x1p-2"}`), ``, `"0x1p-2": want a number`},
		{expect(`{"measure": "m", "published": "."}`), ``, `".": want a number`},
		{expect(`{"measure": "m", "published": 1, "tolerance": -0.5}`), ``, "a tolerance is not negative"},
		{expect(`{"measure": "m", "least": 2, "most": 1}`), ``, "least is more than most"},
		{expect(`{"measure": "m", "published": 1, "needs": 4}`), ``, ``},
		{expect(`{"measure": "m", "published": 1, "needs": 5}`), ``, "measure m: want 5 seeds"},
		{expect(`{"measure": "m", "published": 1, "needs": -1}`), ``, "needs -1 values"},
		{expect(`{"measure": "m", "published": 1, "differs": "why"}`), ``, "want differs and here, or neither"},
		{expect(`{"measure": "m", "published": 1, "here": 2}`), ``, "want differs and here, or neither"},
		{expect(`{"measure": "m", "published": 1, "differs": "why", "here": 2}`), ``, ``},
		{expect(`{"measure": "m", "below": "two", "differs": "why", "here": 2}`), ``, "here is of a published value, or of bounds"},
		{expect(`{"measure": "m", "published": 1, "differs": "why", "here": 2, "ungated": "why"}`), ``, "here is of a published value, or of bounds, that are gated"},
		{goodCase + ",\n\n]", ``, "line 3: invalid character ']'"},
		{"{\n\"name\": 5}", ``, "line 2: json: cannot unmarshal number"},
		{`{"name": "one", "seeds": 1, "expect": [{"measure": "m", "below": "two"}]}, {"name": "two", "seeds": 1}`, ``, "measure m: want 2 seeds"},
		{`{"name": "one", "seeds": 1, "expect": [{"measure": "m", "published": 1}]}`, ``, "measure m: want 4 seeds, or a tolerance"},
		{`{"name": "one", "seeds": 1, "expect": [{"measure": "m", "published": 1, "tolerance": 0}]}`, ``, ``},
		{`{"name": "one", "seeds": 1, "expect": [{"measure": "m", "published": 1, "ungated": "why"}]}`, ``, ``},
		{goodCase, `{"case": "one", "fails": ["m"]}`, `control "": want a name, a case that exists, and measures that fail`},
		{goodCase, `{"name": "wrong", "case": "two", "fails": ["m"]}`, `control "wrong": want a name, a case`},
		{goodCase, `{"name": "wrong", "case": "one"}`, `control "wrong": want a name, a case`},
		{goodCase, `{"name": "wrong", "case": "one", "fails": ["k"]}`, "control wrong: case one has no verdict on k"},
		{goodCase, `{"name": "wrong", "case": "one", "fails": ["x"]}`, "control wrong: case one has no verdict on x"},
		{goodCase, `{"name": "wrong", "case": "one", "parameters": {"c": 2}, "fails": ["m"]}`, `control wrong: parameters: json: unknown field "c"`},
		{goodCase, `{"name": "wrong", "case": "one", "fails": ["m"], "seeds": -1}`, "control wrong: want seeds from 0 up, and quick from 0 to them"},
		{goodCase, `{"name": "wrong", "case": "one", "fails": ["m"], "quick": -1}`, "control wrong: want seeds from 0 up"},
		{goodCase, `{"name": "wrong", "case": "one", "fails": ["m"], "quick": 5}`, "control wrong: want seeds from 0 up"},
		{expect(`{"measure": "m", "published": 1, "needs": 3}`), `{"name": "wrong", "case": "one", "fails": ["m"], "seeds": 2}`, "control wrong: case one has no verdict on m with 2 seeds"},
		{expect(`{"measure": "m", "published": 1, "needs": 3}`), `{"name": "wrong", "case": "one", "fails": ["m"]}`, ``},
		{expect(`{"measure": "m", "published": 1}`), `{"name": "wrong", "case": "one", "fails": ["m"], "quick": 2}`, "has no verdict on m with 2 seeds, of a quick run"},
	} {
		text := fmt.Sprintf(`{"title": "A fake", "source": "Nobody, 2001", "cases": [%s], "controls": [%s]}`, test.cases, test.controls)
		check(t, text, test.want)
	}
	check(t, `{"source": "Nobody", "cases": [`+goodCase+`]}`, "want a title, a source and cases")
	check(t, `{"title": "A fake", "cases": [`+goodCase+`]}`, "want a title, a source and cases")
	check(t, `{"title": "A fake", "source": "Nobody", "cases": [`+goodCase+`]} {}`, "there is more after its end")
	check(t, `{"title": `, "unexpected EOF")
}

// check holds an expected.json against what New has to say of it.
func check(t *testing.T, text, want string) {
	t.Helper()
	files := fstest.MapFS{"README.md": {Data: []byte("# Fake\n")}, "expected.json": {Data: []byte(text)}}
	got := refusal(files)
	if want == "" && got != "" || !strings.Contains(got, want) {
		t.Errorf("%s\n is %q, want %q", text, got, want)
	}
	if got != "" && !strings.HasPrefix(got, "lab: experiment fake: expected.json: ") {
		t.Errorf("%q does not say where", got)
	}
}

func TestFilesThatAreMissing(t *testing.T) {
	readme, expected := &fstest.MapFile{Data: []byte("# Fake\n")}, &fstest.MapFile{Data: []byte(`{"title": "A", "source": "B", "cases": [` + goodCase + `]}`)}
	for want, files := range map[string]fstest.MapFS{
		"":                    {"README.md": readme, "expected.json": expected},
		"open README.md:":     {"expected.json": expected},
		"open expected.json:": {"README.md": readme},
	} {
		if got := refusal(files); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Numbers keep the digits that they were printed with.
func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		text        string
		value, half float64
	}{
		{`0.18`, 0.18, 0.005}, {`3.1e-2`, 0.031, 0.0005}, {`"3.1E-2"`, 0.031, 0.0005}, {`10`, 10, 0.5}, {`6.10`, 6.1, 0.005}, {`"6.10"`, 6.1, 0.005},
		{`-2.5`, -2.5, 0.05}, {`4e3`, 4000, 500}, {`4.00e+3`, 4000, 5}, {`0`, 0, 0.5},
	} {
		var n lab.Number
		if err := json.Unmarshal([]byte(test.text), &n); err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if string(n) != strings.Trim(test.text, `"`) || n.Value() != test.value || math.Abs(n.HalfDigit()/test.half-1) > 1e-12 {
			t.Errorf("%s is %s, %v, half a digit is %v", test.text, n, n.Value(), n.HalfDigit())
		}
	}
	var none lab.Number
	if none.Value() != 0 {
		t.Errorf("no number is %v", none.Value())
	}
}

func TestSamples(t *testing.T) {
	for _, test := range []struct {
		values          []float64
		mean, sd, mean3 float64 // and the standard error
	}{
		{[]float64{2, 4, 4, 4, 5, 5, 7, 9}, 5, math.Sqrt(32.0 / 7), math.Sqrt(32.0 / 7 / 8)},
		{[]float64{1, 2, 3, 4}, 2.5, math.Sqrt(5.0 / 3), math.Sqrt(5.0 / 12)},
		{[]float64{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}, 1e9 + 10, math.Sqrt(30), math.Sqrt(7.5)}, // far from 0
		{[]float64{-3, 3}, 0, math.Sqrt(18), 3},
		{[]float64{7}, 7, 0, 0},
	} {
		s := lab.Sample{Values: test.values}
		if s.N() != len(test.values) || !near(s.Mean(), test.mean) || !near(s.SD(), test.sd) || !near(s.StandardError(), test.mean3) {
			t.Errorf("%v: n %d, mean %v, sd %v, standard error %v", test.values, s.N(), s.Mean(), s.SD(), s.StandardError())
		}
	}
}

func TestFormat(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 3: "3", -3: "-3", 0.5: "0.5", 1.0 / 3: "0.33333", 2.0 / 3 * 100: "66.667", -1.25: "-1.25", 123456.7: "123457",
		99999.96: "100000", 0.00012345678: "0.00012346", 4.04e-6: "4.04e-06", 1e6: "1000000", 1e20: "100000000000000000000",
	} {
		if got := lab.Format(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}
