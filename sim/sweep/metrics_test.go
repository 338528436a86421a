package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestMetricsOfASummary(t *testing.T) {
	got, err := Metrics([]byte(`{"name":"x","partial":false,"seed":3,"b":{"z":1.5,"a":-2e3,"deep":{"er":0}},"formed_at_s":null,
		"nodes":50,"duration_s":60,"workers":2,"marks":[{"at_s":20,"label":"split"}],"list":[7,{"k":8}],"checks":[{"name":"one","ok":true,"at_s":4},{"name":"two","ok":false},{"name":"three"}],"wall_s":9}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{b.a -2000} {b.deep.er 0} {b.z 1.5} {checks.failed 2} {checks.total 3} {formed 0} {wall_s 9}]"
	if fmt.Sprint(got) != want {
		t.Errorf("metrics are %v, want %s", got, want)
	}
}

// The names that a type can have are those of the metrics of such a summary.
func TestMetricNames(t *testing.T) {
	x := 1.5
	summary := struct {
		Name    string   `json:"name"`
		Seed    uint64   `json:"seed"`
		Partial bool     `json:"partial"`
		Formed  *float64 `json:"formed_at_s"`
		Part    struct {
			Count int     `json:"count"`
			Mean  float64 `json:"mean,omitempty"`
		} `json:"part"`
		Checks []struct{} `json:"checks"`
		Marks  []struct {
			At float64 `json:"at_s"`
		} `json:"marks"`
	}{Formed: &x}
	summary.Part.Mean = 2
	text, err := json.Marshal(summary)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := Metrics(text)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range metrics {
		want = append(want, m.Name)
	}
	if got := MetricNames(reflect.TypeOf(summary)); !slices.Equal(got, want) || len(got) != 6 {
		t.Errorf("names are %q, want %q", got, want)
	}
}

// Files of others end in errors, not in memory or in the terminal.
func TestBadSummaries(t *testing.T) {
	var many strings.Builder
	for i := range metricsMax + 1 {
		fmt.Fprintf(&many, `"k%d":1,`, i)
	}
	for text, want := range map[string]string{
		``:                            "not a summary",
		`[]`:                          "not a summary",
		`{}`:                          `lacks the key "partial"`,
		`{"partial":false`:            "not a summary",
		`{"partial":false} {}`:        "something follows",
		`{"partial":false,"a":1e999}`: "out of range",
		`{"partial":false,` + many.String() + `"x":1}`:            "more than 1024 numbers",
		`{"partial":false,"` + strings.Repeat("k", 2000) + `":1}`: "more than 1024 bytes",
	} {
		if _, err := Metrics([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
	if _, err := Metrics([]byte(`{"partial":true}`)); !errors.Is(err, ErrPartial) {
		t.Errorf("a partial summary: %v", err)
	}
	m, err := Metrics([]byte(`{"partial":false,"a\u001b[2Jb":1}`))
	if err != nil || m[0].Name != "a?[2Jb" {
		t.Errorf("control characters of a key: %+v, %v", m, err)
	}
}

// Values of three examples, computed by hand.
func TestMeanSD(t *testing.T) {
	for _, test := range []struct {
		values   []float64
		mean, sd float64
	}{
		{[]float64{2, 4, 4, 4, 5, 5, 7, 9}, 5, math.Sqrt(32.0 / 7)},
		{[]float64{0.1, 0.1, 0.1}, 0.1, 0}, // not 1e-17
		{[]float64{3}, 3, 0},
	} {
		mean, sd := MeanSD(test.values)
		if math.Abs(mean-test.mean) > 1e-15 || math.Abs(sd-test.sd) > 1e-15 {
			t.Errorf("%v: %v ± %v, want %v ± %v", test.values, mean, sd, test.mean, test.sd)
		}
	}
	if mean, sd := MeanSD(nil); !math.IsNaN(mean) || !math.IsNaN(sd) {
		t.Errorf("of nothing: %v ± %v", mean, sd)
	}
}
