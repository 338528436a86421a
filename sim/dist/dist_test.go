package dist

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// extremes are at the ends of what Validate accepts.
var extremes = []Distribution{
	Constant(0), Constant(Max),
	Uniform{}, Uniform{0, Max}, Uniform{Max, Max}, Uniform{0, 1},
	Normal{}, Normal{Max, Max, Max}, Normal{Max, Max, 0}, Normal{0, Max, 0}, Normal{1, 1, 0},
	Exponential{1}, Exponential{Max},
	Weibull{1, 10}, Weibull{Max, 10}, Weibull{1, 1000}, Weibull{Max, 1000}, Weibull{12, 23},
	Pareto{1, 10}, Pareto{Max, 10}, Pareto{1, 10000}, Pareto{Max, 10000}, Pareto{12, 23},
	UncutLogNormal{0, 1, 1}, UncutLogNormal{0, Max, 1000}, UncutLogNormal{Max - 1, Max, 1000}, UncutLogNormal{0, 1, 1000},
	Empirical{0, 0}, Empirical{0, Max}, Empirical{Max, Max}, make(Empirical, QuantilesMax),
}

// edges are bits at the ends of cells and octaves of tables, in order.
func edges() (all []uint64) {
	for k := range 64 {
		for _, u := range []uint64{1 << k, -(1 << k), uint64(k) << 58, 1<<63 + 1<<k, 1<<63 - 1<<k, (1<<5 + uint64(k)) << (k % 59)} {
			all = append(all, u-1, u, u+1)
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		u := r.Uint64() >> r.IntN(64)
		cell := r.Uint64() &^ (1<<54 - 1)
		all = append(all, u, u+1, -u, ^u, cell-1, cell)
	}
	slices.Sort(all)
	return all
}

// An overflow, or entries of a table that do not meet, makes a draw less than one
// with fewer bits, or out of bounds.
func TestDrawsAreMonotoneAndBounded(t *testing.T) {
	all := slices.Clone(extremes)
	for _, m := range models(t) {
		all = append(all, m.d)
	}
	bits := edges()
	for _, d := range all {
		if err := d.Validate(); err != nil {
			t.Errorf("%T: %v", d, err)
			continue
		}
		if d.Min() != d.Draw(0) || d.Min() < 0 {
			t.Errorf("%s: Min is %v, Draw(0) %v", text(d), d.Min(), d.Draw(0))
		}
		last := d.Min()
		for _, u := range bits {
			x := d.Draw(u)
			if x < last || x > Max {
				t.Errorf("%s: Draw(%#x) is %d ns, after %d ns", text(d), u, x, last)
				break
			}
			last = x
		}
	}
}

// text writes a distribution of any size in one line.
func text(d Distribution) string { return fmt.Sprintf("%T%.60v", d, fmt.Sprint(d)) }

func TestUniformReachesBothEnds(t *testing.T) {
	d := Uniform{10, 12}
	if got := [3]time.Duration{d.Draw(0), d.Draw(1 << 63), d.Draw(math.MaxUint64)}; got != [3]time.Duration{10, 11, 12} {
		t.Errorf("drew %v", got)
	}
}

func TestEmpiricalReachesItsQuantiles(t *testing.T) {
	d := Empirical{10, 20, 20, 45, 1000}
	got := []time.Duration{d.Draw(0), d.Draw(1 << 62), d.Draw(3 << 61), d.Draw(1 << 63), d.Draw(5 << 61), d.Draw(3 << 62), d.Draw(math.MaxUint64)}
	if want := []time.Duration{10, 20, 20, 20, 33, 45, 1000}; !slices.Equal(got, want) {
		t.Errorf("drew %d, want %d", got, want)
	}
}

func TestValidateSaysWhatIsWrong(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		d    Distribution
		want string
	}{
		{Constant(-1), "a constant must be from 0s to 1000h0m0s, not -1ns"},
		{Constant(Max + 1), "a constant must be from 0s to 1000h0m0s, not 1000h0m0.000000001s"},
		{Uniform{-1, s}, "the Low of a uniform distribution must be from 0s to 1000h0m0s, not -1ns"},
		{Uniform{2 * s, s}, "the High of a uniform distribution must be from 2s to 1000h0m0s, not 1s"},
		{Uniform{2 * s, Max + 1}, "the High of a uniform distribution must be from 2s to 1000h0m0s, not 1000h0m0.000000001s"},
		{Normal{-1, s, 0}, "the mean of a normal distribution must be from 0s to 1000h0m0s, not -1ns"},
		{Normal{s, -s, 0}, "the standard deviation of a normal distribution must be from 0s to 1000h0m0s, not -1s"},
		{Normal{s, s, -s}, "the minimum of a normal distribution must be from 0s to 1s, not -1s"},
		{Normal{s, s, 2 * s}, "the minimum of a normal distribution must be from 0s to 1s, not 2s"},
		{Exponential{}, "the mean of an exponential distribution must be from 1ns to 1000h0m0s, not 0s"},
		{Weibull{0, 50}, "the scale of a Weibull distribution must be from 1ns to 1000h0m0s, not 0s"},
		{Weibull{s, 0}, "the shape of a Weibull distribution must be from 0.1 to 10, not 0"},
		{Weibull{s, 9}, "the shape of a Weibull distribution must be from 0.1 to 10, not 0.09"},
		{Weibull{s, 1001}, "the shape of a Weibull distribution must be from 0.1 to 10, not 10.01"},
		{Pareto{-s, 150}, "the scale of a Pareto distribution must be from 1ns to 1000h0m0s, not -1s"},
		{Pareto{s, -150}, "the alpha of a Pareto distribution must be from 0.1 to 100, not -1.5"},
		{Pareto{s, 10010}, "the alpha of a Pareto distribution must be from 0.1 to 100, not 100.1"},
		{UncutLogNormal{-1, s, 50}, "the minimum of a log-normal distribution must be from 0s to 999h59m59.999999999s, not -1ns"},
		{UncutLogNormal{s, s, 50}, "the median of a log-normal distribution must be from 1.000000001s to 1000h0m0s, not 1s"},
		{UncutLogNormal{0, s, 0}, "the sigma of a log-normal distribution must be from 0.01 to 10, not 0"},
		{UncutLogNormal{0, s, math.MinInt}, "the sigma of a log-normal distribution must be from 0.01 to 10, not " + decimal(math.MinInt)},
		{Empirical{s}, "an empirical distribution must have from 2 to 65536 quantiles, not 1"},
		{make(Empirical, QuantilesMax+1), "an empirical distribution must have from 2 to 65536 quantiles, not 65537"},
		{Empirical{-1, s}, "quantile 1 of 2 of an empirical distribution must be from 0s to 1000h0m0s, not -1ns"},
		{Empirical{1, 2 * s, s}, "quantile 3 of 3 of an empirical distribution must be from 2s to 1000h0m0s, not 1s"},
	} {
		if err := test.d.Validate(); err == nil || err.Error() != "sim/dist: "+test.want {
			t.Errorf("%s: %v\nwant %s", text(test.d), err, test.want)
		}
	}
}

func TestLogNormalRefusesNonsense(t *testing.T) {
	for _, bad := range []struct {
		low, median time.Duration
		sigma       int
	}{{0, 10, 50}, {-1, 10, 50}, {10, 10, 50}, {10, 20, 0}, {10, 20, 52}, {10, 20, 205}, {1, 2 * time.Hour, 50}} {
		if _, err := NewLogNormal(bad.low, bad.median, bad.sigma); err == nil {
			t.Errorf("NewLogNormal(%v, %v, %d) is accepted", bad.low, bad.median, bad.sigma)
		}
	}
}

// Machines round floating point differently. The generator of the tables is no part
// of the package.
func TestNoFloatingPoint(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, e := range entries {
		if name := e.Name(); !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "gen_tables.go" {
			continue
		}
		checked++
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				if n.Path.Value == `"math"` || n.Path.Value == `"math/big"` {
					t.Errorf("%s: imports %s", files.Position(n.Pos()), n.Path.Value)
				}
			case *ast.Ident:
				switch n.Name { // also methods of time.Duration
				case "float32", "float64", "complex64", "complex128", "Seconds", "Minutes", "Hours":
					t.Errorf("%s: uses %s", files.Position(n.Pos()), n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT || n.Kind == token.IMAG {
					t.Errorf("%s: uses %s", files.Position(n.Pos()), n.Value)
				}
			}
			return true
		})
	}
	if checked < 7 {
		t.Errorf("only %d files were checked", checked)
	}
}
