package result

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/parquet-go/parquet-go"
)

// few are nodes whose table has everything in a small file: null and not.
func few() []Node {
	return []Node{{Address: "sim:0", StartedS: 1}, {ID: 1, Class: "x", StartedS: math.NaN()}, {ID: 2, Live: true, StartedS: 3}}
}

func nodesFile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sliceTable(nodesName, nodeColumns, few()).writeParquet(&b, program{"v1", "abc"}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readNodes reads a table of nodes of this content, and returns what it allocated.
func readNodes(t testing.TB, path string, content []byte) (nodes []Node, allocated uint64, err error) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	nodes, err = readRows(path, nodesMax, nodeColumns)
	runtime.ReadMemStats(&after)
	return nodes, after.TotalAlloc - before.TotalAlloc, err
}

// allocatedMax is what reading any small file may allocate: some times its pages.
const allocatedMax = 64 << 20

// A file with any of its bytes changed is read or refused, at a bounded cost.
func TestAnyByteChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.parquet")
	good := nodesFile(t)
	const step = 11 // FuzzNodes does the rest
	refused := 0
	for i := 0; i < len(good); i += step {
		for _, change := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= change
			_, allocated, err := readNodes(t, path, bad)
			if err != nil {
				refused++
			}
			if allocated > allocatedMax {
				t.Errorf("byte %d changed by %#x: %d bytes allocated, %v", i, change, allocated, err)
			}
		}
		if nodes, _, err := readNodes(t, path, good[:i]); err == nil {
			t.Errorf("a file cut to %d bytes has %d nodes", i, len(nodes))
		}
	}
	t.Logf("%d of %d files were refused", refused, 3*(len(good)+step-1)/step)
	if nodes, _, err := readNodes(t, path, good); err != nil || len(nodes) != 3 {
		t.Errorf("the good file: %d nodes, %v", len(nodes), err)
	}
}

// withFooter is a file of Parquet's marks with a footer.
func withFooter(footer ...byte) []byte {
	file := append([]byte("PAR1"), footer...)
	return append(binary.LittleEndian.AppendUint32(file, uint32(len(footer))), "PAR1"...)
}

// The levels of the column that may be null are three runs of one: there, not, there.
var levels = []byte{2, 1, 2, 0, 2, 1}

// replaced is the good file with a part of it replaced by another of the same length.
func replaced(t *testing.T, from, to []byte) []byte {
	t.Helper()
	good := nodesFile(t)
	if len(from) != len(to) || bytes.Count(good, from) == 0 {
		t.Fatalf("%x is there %d times", from, bytes.Count(good, from))
	}
	return bytes.ReplaceAll(good, from, to)
}

// Sizes that nothing stands behind are refused, each by what is there to do it. The
// library alone would ask for as much memory as they say.
func TestAbsurdSizes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.parquet")
	for what, c := range map[string]struct {
		content []byte
		want    string
	}{
		"a footer longer than the file": {append(bytes.Repeat([]byte{'P', 'A', 'R', '1'}, 5), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1'), "may be cut off"},
		// Field 2, a list of 2^31-1 structs.
		"a list of two billion":      {withFooter(0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0), "makes no sense"},
		"lists in lists":             {withFooter(append([]byte{0x29}, bytes.Repeat([]byte{0x19}, 1000)...)...), "makes no sense"},
		"structs in structs":         {withFooter(bytes.Repeat([]byte{0x1c}, 1000)...), "makes no sense"},
		"a string of two billion":    {withFooter(0x18, 0xff, 0xff, 0xff, 0xff, 0x07, 0), "makes no sense"},
		"a page of a billion bytes":  {replaced(t, snappy.Encode(nil, plainStrings("sim:0", "", "")), append(binary.AppendUvarint(nil, 1<<30), snappy.Encode(nil, plainStrings("sim:0", "", ""))[5:]...)), "not the 17 that it says"},
		"a run of a billion levels":  {replaced(t, levels, []byte{0xfe, 0xff, 0xff, 0xff, 0x0f, 1}), "levels that are not those"},
		"other levels than nulls":    {replaced(t, levels, []byte{2, 1, 2, 1, 2, 1}), "levels that are not those"},
		"text that is too long":      {longText(t), "address has 5000 bytes, at most 4096"},
		"rows without bytes":         {manyRows(t), "rows in"},
		"another compression":        {foreign(t, parquet.Compression(&parquet.Zstd)), "another program"},
		"pages of the first version": {foreign(t, parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1)), "another program"},
	} {
		nodes, allocated, err := readNodes(t, path, c.content)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d nodes, %v, want %s", what, len(nodes), err, c.want)
		}
		if allocated > allocatedMax {
			t.Errorf("%s: %d bytes allocated", what, allocated)
		}
	}
}

// plainStrings is how strings are kept in a page.
func plainStrings(all ...string) (page []byte) {
	for _, s := range all {
		page = append(binary.LittleEndian.AppendUint32(page, uint32(len(s))), s...)
	}
	return page
}

// table writes rows of somebody else's with some options.
func foreignTable[T any](t *testing.T, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows, options...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func foreign(t *testing.T, options ...parquet.WriterOption) []byte {
	return foreignTable(t, []struct {
		ID uint32 `parquet:"id"`
	}{{1}, {2}}, options...)
}

func longText(t *testing.T) []byte {
	return foreignTable(t, []struct {
		ID           uint32   `parquet:"id"`
		Address      string   `parquet:"address,plain"`
		Class        string   `parquet:"class,plain"`
		Region       string   `parquet:"region,plain"`
		Reach        string   `parquet:"reach,plain"`
		Role         string   `parquet:"role,plain"`
		Live         bool     `parquet:"live"`
		Incarnations uint32   `parquet:"incarnations"`
		StartedS     *float64 `parquet:"started_s,optional"`
		UpS          float64  `parquet:"up_s"`
		Degree       int32    `parquet:"degree"`
		Outbound     int32    `parquet:"outbound"`
		Inbound      int32    `parquet:"inbound"`
		Book         int32    `parquet:"book"`
		HostileLinks int32    `parquet:"hostile_links"`
		HostileBook  int32    `parquet:"hostile_book"`
		SentMessages uint64   `parquet:"sent_messages"`
		SentBytes    uint64   `parquet:"sent_bytes"`
	}{{Address: strings.Repeat("x", 5000)}}, parquet.Compression(&parquet.Snappy))
}

// manyRows is a small file of many rows of nothing.
func manyRows(t *testing.T) []byte {
	rows := make([]struct {
		ID *uint32 `parquet:"id,optional"`
	}, 1<<20)
	return foreignTable(t, rows, parquet.Compression(&parquet.Snappy))
}

// Columns are told by their names; one that is missing or of another type is named.
func TestColumnsThatAreNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.parquet")
	for want, content := range map[string][]byte{
		`no column "address"`: foreign(t, parquet.Compression(&parquet.Snappy)),
		`column "id" is not of the type it should be`: foreignTable(t, []struct {
			ID string `parquet:"id,plain"`
		}{{"x"}}, parquet.Compression(&parquet.Snappy)),
		"is nested": foreignTable(t, []struct {
			ID struct{ A uint32 } `parquet:"id"`
		}{{}}, parquet.Compression(&parquet.Snappy)),
	} {
		if _, _, err := readNodes(t, path, content); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Histograms of before it was known where bins end are read as such.
func TestHistogramsWithoutEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "histograms.parquet")
	old := slices.DeleteFunc(slices.Clone(histogramColumns), func(c column[namedBin]) bool { return c.name == highColumn })
	var b bytes.Buffer
	if err := sliceTable(histogramsName, old, []namedBin{{hopsHistogram, Bin{1, 2, 3}}, {latencyHistogram, Bin{4, 5, 6}}}).writeParquet(&b, program{"v1", "abc"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var r Run
	if err := r.readHistograms(path); err != nil || !slices.Equal(r.Hops, []Bin{{1, 0, 3}}) || !slices.Equal(r.Latency, []Bin{{4, 0, 6}}) {
		t.Errorf("%v, %v, %v", r.Hops, r.Latency, err)
	}
}

// Figures that no simulation gives are drawn or left out, never more than a page
// can bear: numbers beyond all axes, none, and very many.
func TestReportOfAbsurdNumbers(t *testing.T) {
	r := &Run{Manifest: json.RawMessage(`{"scenario":[1e400]}`), Summary: json.RawMessage(`{"a":1e400,"b":-0.0,"c":123456789012345678901234567890,"d":{"e":[],"f":{}}}`), Series: NewSeries("live", "largest_component", "x", "y")}
	for i := range 100_000 {
		r.Series.Add(float64(i)*1e6, math.MaxFloat64, math.Inf(1), []float64{math.NaN(), math.Inf(-1), 1e15, -1e15, math.SmallestNonzeroFloat64}[i%5], 0)
		r.Messages = append(r.Messages, Message{Kind: KindAnnounce, SentS: math.Inf(i%2*2 - 1), Coverage: -1e300}, Message{Kind: KindAnnounce, SentS: float64(i), Coverage: float64(i)})
		r.Nodes = append(r.Nodes, Node{Live: true, Degree: math.MinInt32 + int32(i)*1000, UpS: 1e-300, SentBytes: math.MaxUint64}, Node{UpS: 1, SentBytes: uint64(i * i)})
		r.Marks = append(r.Marks, Mark{AtS: float64(i) * 1e6})
	}
	r.Marks = r.Marks[:marksMax]
	r.Hops = []Bin{{-1e300, 0, 5}, {-5, -4, math.MaxUint64}, {1e14, 0, math.MaxUint64}, {1e300, 0, 1}}
	r.Latency = []Bin{{0, 0, 0}, {math.SmallestNonzeroFloat64, 0, 1}, {1, 0, 0}}
	var b bytes.Buffer
	if err := Report(&b, r); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 4<<20 || strings.Contains(b.String(), "<svg") == false {
		t.Errorf("the report has %d bytes", b.Len())
	}
	for _, bad := range []string{"NaN", "Inf"} {
		if i := strings.Index(b.String(), bad); i >= 0 {
			t.Errorf("%s in %s", bad, b.String()[max(0, i-100):i+20])
		}
	}
}

func FuzzNodes(f *testing.F) {
	f.Add(nodesFile(f))
	f.Add(withFooter(0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0))
	path := filepath.Join(f.TempDir(), "nodes.parquet")
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, allocated, _ := readNodes(t, path, content); allocated > allocatedMax+64*uint64(len(content)) {
			t.Errorf("%d bytes allocated", allocated)
		}
	})
}
