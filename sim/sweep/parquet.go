package sweep

import (
	"bytes"
	"slices"
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
// that are varied are text, the seed is an unsigned number, and metrics are doubles,
// null where there is no value. The format has the columns in the order of their names.
func (t *Table) parquet(metrics []string) ([]byte, error) {
	columns := []column{{"seed", parquet.Uint(64), func(p Point) parquet.Value { return parquet.Int64Value(int64(p.Seed)) }}}
	for i, a := range t.Grid.Axes {
		columns = append(columns, column{a.Key, parquet.String(), func(p Point) parquet.Value {
			return parquet.ByteArrayValue([]byte(p.Varied[i].Value))
		}})
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
	w := parquet.NewWriter(&text, parquet.NewSchema("sweep", group), parquet.CreatedBy("peernet", "", ""))
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
