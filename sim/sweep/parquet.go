package sweep

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// A column of a Parquet file: its values by point.
type column struct {
	name  string
	node  parquet.Node
	value func(p Point) parquet.Value
}

// parquet returns the table as a Parquet file with the columns of [Table.CSV]: keys
// that are varied are numbers if all their values are, else text, the seed is an
// unsigned number, and metrics are doubles, null where there is no value. The format
// has the columns in the order of their names.
func (t *Table) parquet(metrics []string) ([]byte, error) {
	columns := []column{{"seed", parquet.Uint(64), func(p Point) parquet.Value { return parquet.Int64Value(int64(p.Seed)) }}}
	for i, a := range t.Grid.Axes {
		node, value := a.typed()
		columns = append(columns, column{a.Key, node, func(p Point) parquet.Value { return value(p.Varied[i].Value) }})
	}
	for _, m := range metrics {
		columns = append(columns, column{m, parquet.Optional(parquet.Leaf(parquet.DoubleType)), func(p Point) parquet.Value {
			if v, ok := t.Value(p.Index, m); ok {
				return parquet.DoubleValue(v).Level(0, 1, 0)
			}
			return parquet.NullValue()
		}})
	}
	slices.SortFunc(columns, func(a, b column) int { return strings.Compare(a.name, b.name) })
	group := parquet.Group{}
	for _, c := range columns {
		group[c.name] = c.node
	}
	var text bytes.Buffer
	version, build, _ := strings.Cut(t.Grid.Program, " ")
	w := parquet.NewWriter(&text, parquet.NewSchema("sweep", group), parquet.CreatedBy("peernet", version, build))
	row := make(parquet.Row, len(columns))
	for i := range t.rows {
		if !t.Done(i) {
			continue
		}
		p := t.Grid.Point(i)
		for k, c := range columns {
			v := c.value(p)
			row[k] = v.Level(0, v.DefinitionLevel(), k)
		}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// typed is the narrowest type that all values of the axis have, whole numbers, numbers
// or text, and how a value is of it.
func (a Axis) typed() (parquet.Node, func(string) parquet.Value) {
	whole, number := true, true
	for _, v := range a.Values {
		_, err := strconv.ParseInt(v, 10, 64)
		whole = whole && err == nil
		f, err := strconv.ParseFloat(v, 64)
		number = number && err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	switch {
	case whole:
		return parquet.Int(64), func(v string) parquet.Value {
			n, _ := strconv.ParseInt(v, 10, 64) // as above
			return parquet.Int64Value(n)
		}
	case number:
		return parquet.Leaf(parquet.DoubleType), func(v string) parquet.Value {
			f, _ := strconv.ParseFloat(v, 64) // as above
			return parquet.DoubleValue(f)
		}
	}
	return parquet.String(), func(v string) parquet.Value { return parquet.ByteArrayValue([]byte(v)) }
}
