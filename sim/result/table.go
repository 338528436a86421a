package result

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// A column is how one field of the rows of a table is kept.
type column[T any] struct {
	name string
	node parquet.Node
	get  func(*T) parquet.Value
	set  func(*T, parquet.Value)
	text func(*T) string // in a CSV file
}

// leaf is the node of a column of plain values: see the package on files of others.
func leaf(t parquet.Type) parquet.Node { return parquet.Encoded(parquet.Leaf(t), &parquet.Plain) }

// The constructors of columns take a function that points to a row's field.

func uint32Column[T any](name string, field func(*T) *uint32) column[T] {
	return column[T]{name, leaf(parquet.Uint(32).Type()),
		func(r *T) parquet.Value { return parquet.Int32Value(int32(*field(r))) },
		func(r *T, v parquet.Value) { *field(r) = v.Uint32() },
		func(r *T) string { return strconv.FormatUint(uint64(*field(r)), 10) }}
}

func uint64Column[T any](name string, field func(*T) *uint64) column[T] {
	return column[T]{name, leaf(parquet.Uint(64).Type()),
		func(r *T) parquet.Value { return parquet.Int64Value(int64(*field(r))) },
		func(r *T, v parquet.Value) { *field(r) = v.Uint64() },
		func(r *T) string { return strconv.FormatUint(*field(r), 10) }}
}

func int32Column[T any](name string, field func(*T) *int32) column[T] {
	return column[T]{name, leaf(parquet.Int(32).Type()),
		func(r *T) parquet.Value { return parquet.Int32Value(*field(r)) },
		func(r *T, v parquet.Value) { *field(r) = v.Int32() },
		func(r *T) string { return strconv.Itoa(int(*field(r))) }}
}

func boolColumn[T any](name string, field func(*T) *bool) column[T] {
	return column[T]{name, leaf(parquet.BooleanType),
		func(r *T) parquet.Value { return parquet.BooleanValue(*field(r)) },
		func(r *T, v parquet.Value) { *field(r) = v.Boolean() },
		func(r *T) string { return strconv.FormatBool(*field(r)) }}
}

func stringColumn[T any](name string, field func(*T) *string) column[T] {
	return column[T]{name, leaf(parquet.String().Type()),
		func(r *T) parquet.Value { return parquet.ByteArrayValue([]byte(*field(r))) },
		func(r *T, v parquet.Value) {
			// Neighbours often have the same names; one string does for both.
			if s := v.ByteArray(); string(s) != *field(r) {
				*field(r) = string(s)
			}
		},
		func(r *T) string { return *field(r) }}
}

func floatColumn[T any](name string, field func(*T) *float64) column[T] {
	return column[T]{name, leaf(parquet.DoubleType),
		func(r *T) parquet.Value { return parquet.DoubleValue(*field(r)) },
		func(r *T, v parquet.Value) { *field(r) = v.Double() },
		func(r *T) string { return formatFloat(*field(r)) }}
}

// nullableColumn keeps NaN as null.
func nullableColumn[T any](name string, field func(*T) *float64) column[T] {
	c := floatColumn(name, field)
	c.node = parquet.Optional(c.node)
	get, set := c.get, c.set
	c.get = func(r *T) parquet.Value {
		if math.IsNaN(*field(r)) {
			return parquet.NullValue()
		}
		return get(r).Level(0, 1, 0)
	}
	c.set = func(r *T, v parquet.Value) {
		if v.IsNull() {
			*field(r) = math.NaN()
			return
		}
		set(r, v)
	}
	return c
}

// formatFloat is the shortest text that reads as f again; nothing for NaN.
func formatFloat(f float64) string {
	if math.IsNaN(f) {
		return ""
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// Names of the tables, and of the column that is time.
const (
	seriesName     = "series"
	nodesName      = "nodes"
	messagesName   = "messages"
	histogramsName = "histograms"
	edgesName      = "edges"
	timeColumn     = "at_s"
)

var nodeColumns = []column[Node]{
	uint32Column("id", func(n *Node) *uint32 { return &n.ID }),
	stringColumn("address", func(n *Node) *string { return &n.Address }),
	stringColumn("class", func(n *Node) *string { return &n.Class }),
	stringColumn("region", func(n *Node) *string { return &n.Region }),
	stringColumn("reach", func(n *Node) *string { return &n.Reach }),
	stringColumn("role", func(n *Node) *string { return &n.Role }),
	boolColumn("live", func(n *Node) *bool { return &n.Live }),
	uint32Column("incarnations", func(n *Node) *uint32 { return &n.Incarnations }),
	nullableColumn("started_s", func(n *Node) *float64 { return &n.StartedS }),
	floatColumn("up_s", func(n *Node) *float64 { return &n.UpS }),
	int32Column("degree", func(n *Node) *int32 { return &n.Degree }),
	int32Column("outbound", func(n *Node) *int32 { return &n.Outbound }),
	int32Column("inbound", func(n *Node) *int32 { return &n.Inbound }),
	int32Column("book", func(n *Node) *int32 { return &n.Book }),
	int32Column("hostile_links", func(n *Node) *int32 { return &n.HostileLinks }),
	int32Column("hostile_book", func(n *Node) *int32 { return &n.HostileBook }),
	uint64Column("sent_messages", func(n *Node) *uint64 { return &n.SentMessages }),
	uint64Column("sent_bytes", func(n *Node) *uint64 { return &n.SentBytes }),
}

var messageColumns = []column[Message]{
	int32Column("index", func(m *Message) *int32 { return &m.Index }),
	stringColumn("kind", func(m *Message) *string { return &m.Kind }),
	floatColumn("sent_s", func(m *Message) *float64 { return &m.SentS }),
	uint32Column("origin", func(m *Message) *uint32 { return &m.Origin }),
	int32Column("alive", func(m *Message) *int32 { return &m.Alive }),
	int32Column("reached", func(m *Message) *int32 { return &m.Reached }),
	nullableColumn("coverage", func(m *Message) *float64 { return &m.Coverage }),
	nullableColumn("hops_mean", func(m *Message) *float64 { return &m.HopsMean }),
	int32Column("hops_max", func(m *Message) *int32 { return &m.HopsMax }),
	nullableColumn("latency_p50_ms", func(m *Message) *float64 { return &m.LatencyP50Ms }),
	nullableColumn("latency_p90_ms", func(m *Message) *float64 { return &m.LatencyP90Ms }),
	nullableColumn("latency_p99_ms", func(m *Message) *float64 { return &m.LatencyP99Ms }),
	nullableColumn("latency_max_ms", func(m *Message) *float64 { return &m.LatencyMaxMs }),
	uint64Column("copies", func(m *Message) *uint64 { return &m.Copies }),
	nullableColumn("redundancy", func(m *Message) *float64 { return &m.Redundancy }),
	int32Column("replies", func(m *Message) *int32 { return &m.Replies }),
}

var edgeColumns = []column[Edge]{
	floatColumn("at_s", func(e *Edge) *float64 { return &e.AtS }),
	uint32Column("from", func(e *Edge) *uint32 { return &e.From }),
	uint32Column("to", func(e *Edge) *uint32 { return &e.To }),
	boolColumn("negotiated", func(e *Edge) *bool { return &e.Negotiated }),
}

// A namedBin is a row of the table of histograms. Its High is NaN if it is not known.
type namedBin struct {
	name string
	Bin
}

// Names of the histograms.
const (
	hopsHistogram    = "hops"
	latencyHistogram = "latency_ms"
)

// highColumn is not in tables of before it was known where bins end.
const highColumn = "high"

var histogramColumns = []column[namedBin]{
	stringColumn("name", func(b *namedBin) *string { return &b.name }),
	floatColumn("low", func(b *namedBin) *float64 { return &b.Low }),
	nullableColumn(highColumn, func(b *namedBin) *float64 { return &b.High }),
	uint64Column("count", func(b *namedBin) *uint64 { return &b.Count }),
}

// seriesColumns are the columns of a series with these names, time first. A row is
// a slice of as many values.
func seriesColumns(names []string) []column[[]float64] {
	columns := []column[[]float64]{floatColumn(timeColumn, func(r *[]float64) *float64 { return &(*r)[0] })}
	for i, name := range names {
		columns = append(columns, nullableColumn(name, func(r *[]float64) *float64 { return &(*r)[i+1] }))
	}
	return columns
}

// A table is rows that are made one by one, so that no second copy is in memory.
type table[T any] struct {
	name    string
	columns []column[T]
	rows    int
	row     func(i int) *T // valid until the next call
}

func sliceTable[T any](name string, columns []column[T], rows []T) table[T] {
	return table[T]{name, columns, len(rows), func(i int) *T { return &rows[i] }}
}

// writeCSV writes a line of names, and a line per row.
func (t table[T]) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(t.columns))
	for k, c := range t.columns {
		line[k] = c.name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for i := range t.rows {
		row := t.row(i)
		for k, c := range t.columns {
			line[k] = c.text(row)
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// rowsPerGroup bounds what the writer of a table holds in memory.
const rowsPerGroup = 1 << 17

// A program is what made a file: a version of peernet, and its commit.
type program struct{ version, commit string }

// writeParquet writes the table as a Parquet file of a program.
func (t table[T]) writeParquet(w io.Writer, by program) error {
	out := parquet.NewGenericWriter[any](w, schemaOf(t.name, t.columns),
		parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(2), parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.CreatedBy("peernet", by.version, by.commit))
	line := make(parquet.Row, len(t.columns))
	for i := range t.rows {
		row := t.row(i)
		for k, c := range t.columns {
			v := c.get(row)
			if v.Kind() == parquet.ByteArray && len(v.ByteArray()) > textMax {
				return fmt.Errorf("row %d: %s has %d bytes, at most %d are allowed", i, c.name, len(v.ByteArray()), textMax)
			}
			line[k] = v.Level(0, v.DefinitionLevel(), k)
		}
		if _, err := out.WriteRows([]parquet.Row{line}); err != nil {
			return err
		}
	}
	return out.Close()
}

// schemaOf is the schema of a table, with its columns in order.
func schemaOf[T any](name string, columns []column[T]) *parquet.Schema {
	g := orderedGroup{Group: parquet.Group{}}
	for _, c := range columns {
		g.Group[c.name] = c.node
		g.order = append(g.order, c.name)
	}
	return parquet.NewSchema(name, g)
}

// An orderedGroup is a group whose fields are in an order of ours, not that of
// their names.
type orderedGroup struct {
	parquet.Group
	order []string
}

// Fields implements [parquet.Node].
func (g orderedGroup) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.order))
	for i, name := range g.order {
		fields[i] = byName[name]
	}
	return fields
}
