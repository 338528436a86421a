package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Expected is what expected.json says.
type Expected struct {
	Title    string    `json:"title"`
	Source   string    `json:"source"` // of the numbers: paper, year
	Cases    []Case    `json:"cases"`
	Controls []Control `json:"controls"`
}

// A Case is a setting of the parameters, and what was published for it.
type Case struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"` // of the program: its struct, as JSON
	// Seeds is how many are run, Quick how many in a quick run: 0 leaves the case out.
	Seeds int `json:"seeds"`
	Quick int `json:"quick"`
	// Alone is for trials that want all workers and memory for themselves.
	Alone  bool          `json:"alone"`
	Expect []Expectation `json:"expect"`
}

// An Expectation is about the mean of one measure. Numbers are written as they were
// printed, since their last digit counts.
type Expectation struct {
	Measure string `json:"measure"`
	// Published is the value. Instead of it there can be bounds, Least and Most, or the
	// name of another case in Below: the mean has to be below that of the same measure
	// there.
	Published Number `json:"published"`
	Tolerance Number `json:"tolerance"` // of Published; empty is by its last digit and the seeds
	Least     Number `json:"least"`
	Most      Number `json:"most"`
	Below     string `json:"below"`
	// From is the table or figure, or "closed form".
	From string `json:"from"`
	// Needs is how many seeds a verdict takes, where fewer say nothing: of what is rare. It
	// is at least what the kind of the verdict takes anyway.
	Needs int `json:"needs"`
	// Some says that trials may leave the measure out; of others a missing value is a failure.
	Some bool `json:"some"`
	// Ungated says why this one is shown, and not held against anything.
	Ungated string `json:"ungated"`
	// Differs says why this one does not reproduce, where that is known; it is then
	// reported as such. The README has the analysis. Here is the mean that comes out
	// instead, which is held against as Published would be.
	Differs string `json:"differs"`
	Here    Number `json:"here"`
}

// A Control is a case with a model that is wrong on purpose.
type Control struct {
	Name       string          `json:"name"`
	Case       string          `json:"case"`
	Parameters json.RawMessage `json:"parameters"` // replace those of the case
	Fails      []string        `json:"fails"`      // measures whose verdict has to be a failure
	// Seeds and Quick are those of the case where they are 0.
	Seeds int `json:"seeds"`
	Quick int `json:"quick"`
}

// A Number is a decimal number as it was printed, such as 0.18 or 3.1e-2, or nothing.
type Number string

// UnmarshalJSON implements [json.Unmarshaler]: a number, with its digits kept, or a string.
func (n *Number) UnmarshalJSON(b []byte) error {
	*n = Number(strings.Trim(string(b), `"`))
	if _, err := strconv.ParseFloat(string(*n), 64); err != nil || !decimal.MatchString(string(*n)) {
		return fmt.Errorf("%q: want a number", string(*n))
	}
	return nil
}

// decimal is what has a last digit; ParseFloat knows more, such as nan and 0x1p-2.
var decimal = regexp.MustCompile(`^[+-]?[0-9]*\.?[0-9]*([eE][+-]?[0-9]+)?$`)

// MarshalJSON implements [json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) { return json.Marshal(string(n)) }

// Value returns the number, 0 where there is none.
func (n Number) Value() float64 {
	v, _ := strconv.ParseFloat(string(n), 64) // it was read, or is empty
	return v
}

// HalfDigit returns half a unit of the last digit.
func (n Number) HalfDigit() float64 {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(n)), "e")
	_, decimals, _ := strings.Cut(mantissa, ".")
	e, _ := strconv.Atoi(exponent) // empty is 0
	return 0.5 * math.Pow(10, float64(e-len(decimals)))
}

// parseExpected reads expected.json.
func parseExpected(text []byte) (e Expected, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, atLine(text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return e, errors.New("there is more after its end")
	}
	return e, e.validate()
}

// atLine says in which line an error of package json is, if it knows.
func atLine(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(0)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:min(offset, int64(len(text)))], []byte("\n")), err)
}

func (e *Expected) validate() error {
	if e.Title == "" || e.Source == "" || len(e.Cases) == 0 {
		return errors.New("want a title, a source and cases")
	}
	for i, c := range e.Cases {
		if c.Name == "" || e.find(c.Name) != &e.Cases[i] {
			return fmt.Errorf("case %d, %q: want a name of its own", i, c.Name)
		}
		if c.Seeds < 1 || c.Quick < 0 || c.Quick > c.Seeds {
			return fmt.Errorf("case %s: want seeds from 1 up, and quick from 0 to them", c.Name)
		}
		for _, x := range c.Expect {
			if err := x.validate(e, c); err != nil {
				return fmt.Errorf("case %s, measure %s: %w", c.Name, x.Measure, err)
			}
		}
	}
	for _, c := range e.Controls {
		of := e.find(c.Case)
		if of == nil || c.Name == "" || len(c.Fails) == 0 {
			return fmt.Errorf("control %q: want a name, a case that exists, and measures that fail", c.Name)
		}
		if c.Seeds < 0 || c.Quick < 0 || c.Quick > max(c.Seeds, of.Seeds) {
			return fmt.Errorf("control %s: want seeds from 0 up, and quick from 0 to them", c.Name)
		}
		seeds := c.Seeds
		if seeds == 0 {
			seeds = of.Seeds
		}
		quick := c.Quick
		if quick == 0 {
			quick = of.Quick
		}
		for _, m := range c.Fails {
			if !of.gates(m, seeds) {
				return fmt.Errorf("control %s: case %s has no verdict on %s with %d seeds", c.Name, c.Case, m, seeds)
			}
			if quick > 0 && !of.gates(m, quick) {
				return fmt.Errorf("control %s: case %s has no verdict on %s with %d seeds, of a quick run", c.Name, c.Case, m, quick)
			}
		}
	}
	return nil
}

func (x Expectation) validate(e *Expected, c Case) error {
	kinds := 0
	for _, set := range []bool{x.Published != "", x.Least != "" || x.Most != "", x.Below != ""} {
		if set {
			kinds++
		}
	}
	switch {
	case x.Measure == "":
		return errors.New("want the name of a measure")
	case kinds != 1:
		return errors.New("want one of published, bounds (least, most), and below")
	case x.Tolerance != "" && x.Published == "":
		return errors.New("a tolerance is of a published value")
	case x.Ungated == "" && x.needs(c.Seeds) > c.Seeds:
		return fmt.Errorf("want %d seeds, or a tolerance", x.needs(c.Seeds))
	case x.Tolerance.Value() < 0:
		return errors.New("a tolerance is not negative")
	case x.Least != "" && x.Most != "" && x.Least.Value() > x.Most.Value():
		return errors.New("least is more than most")
	case (x.Differs == "") != (x.Here == ""):
		return errors.New("want differs and here, or neither")
	case x.Here != "" && (x.Ungated != "" || x.Below != ""):
		return errors.New("here is of a published value, or of bounds, that are gated")
	case x.Needs < 0 || x.Needs > c.Seeds:
		return fmt.Errorf("needs %d values of %d seeds", x.Needs, c.Seeds)
	case x.Below != "" && (x.Below == c.Name || e.find(x.Below) == nil):
		return fmt.Errorf("below %q: want another case", x.Below)
	}
	return nil
}

// find returns a case, nil if there is none of that name.
func (e *Expected) find(name string) *Case {
	for i := range e.Cases {
		if e.Cases[i].Name == name {
			return &e.Cases[i]
		}
	}
	return nil
}

// gates reports whether a case has a verdict on a measure with so many seeds.
func (c *Case) gates(measure string, seeds int) bool {
	for _, x := range c.Expect {
		if x.Measure == measure && x.Ungated == "" && x.needs(c.Seeds) <= seeds {
			return true
		}
	}
	return false
}

// The seeds that a verdict takes.
const (
	samplingNeeds = 4 // where the error of sampling decides, which is estimated from them
	meanNeeds     = 2 // where a mean is held against another, or is of several seeds
)

// needs returns how many seeds a verdict takes, for a case that asks for a number of them.
func (x Expectation) needs(seeds int) int {
	needs := 1
	switch {
	case x.Below != "":
		needs = meanNeeds
	case x.Tolerance == "" && (x.Published != "" || x.Here != ""):
		needs = samplingNeeds
	case x.Tolerance.Value() > 0 && seeds > 1:
		needs = meanNeeds // one run is no mean
	}
	return max(needs, x.Needs)
}
