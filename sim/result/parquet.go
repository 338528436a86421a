package result

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"

	"github.com/klauspost/compress/snappy"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Limits of the Parquet files that are read.
const (
	footerMax = 4 << 20  // bytes of the description at the end of a file
	pageMax   = 16 << 20 // bytes of a page, not compressed
	headerMax = 1 << 16  // bytes of what describes a page, with its least and greatest value
	// Each row has a value of its own, an index or a time, and so takes some bytes
	// however well the rest is compressed.
	rowsPerByteMax = 64
)

// readTable calls row for each row of a table's file. What it is given is valid
// until the next call. The columns of the file are told by their names; more than
// are asked for do no harm.
func readTable[T any](path string, rowsMax int64, choose func(names []string) ([]column[T], error), scratch *T, row func(*T) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	// What is in the file was checked as far as we know how, but the library was
	// made for files of friends. Nothing of ours is running that could be left in
	// disorder by a panic of its: it is a corrupt file.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("corrupt: %v", p)
		}
	}()
	file, err := openParquet(f)
	if err != nil {
		return err
	}
	if n := file.NumRows(); n < 0 || n > rowsMax || n > file.Size()*rowsPerByteMax {
		return fmt.Errorf("%d rows in %d bytes, at most %d are allowed", n, file.Size(), min(rowsMax, file.Size()*rowsPerByteMax))
	}
	var names []string
	for _, c := range file.Schema().Columns() {
		names = append(names, c[0])
	}
	columns, err := choose(names)
	if err != nil {
		return err
	}
	at := make([]int, len(columns)) // in a row of the file
	for i, c := range columns {
		leaf, ok := file.Schema().Lookup(c.name)
		if !ok {
			return fmt.Errorf("no column %q", c.name)
		}
		if leaf.Node.Type().Kind() != c.node.Type().Kind() || leaf.Node.Optional() != c.node.Optional() || leaf.Node.Repeated() {
			return fmt.Errorf("column %q is not of the type it should be, %v", c.name, c.node)
		}
		at[i] = leaf.ColumnIndex
	}
	return eachRow(file, func(values parquet.Row) error {
		for i, c := range columns {
			v := values[at[i]]
			if v.Kind() == parquet.ByteArray && len(v.ByteArray()) > textMax {
				return fmt.Errorf("%s has %d bytes, at most %d are allowed", c.name, len(v.ByteArray()), textMax)
			}
			c.set(scratch, v)
		}
		return row(scratch)
	})
}

// eachRow calls f for each row of a file of flat columns, with a value for each
// column.
func eachRow(file *parquet.File, f func(parquet.Row) error) error {
	width := len(file.Schema().Columns())
	buffer := make([]parquet.Row, 256)
	count := int64(0)
	for _, g := range file.RowGroups() {
		rows := g.Rows()
		for {
			n, err := rows.ReadRows(buffer)
			for _, r := range buffer[:n] {
				if len(r) != width {
					return errors.Join(fmt.Errorf("corrupt: row %d has %d values for %d columns", count, len(r), width), rows.Close())
				}
				if err := f(r); err != nil {
					return errors.Join(fmt.Errorf("row %d: %w", count, err), rows.Close())
				}
				count++
			}
			if err == io.EOF {
				break
			}
			if err == nil && n == 0 {
				err = io.ErrNoProgress
			}
			if err != nil {
				return errors.Join(fmt.Errorf("corrupt: row %d: %w", count, err), rows.Close())
			}
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	if count != file.NumRows() {
		return fmt.Errorf("corrupt: %d rows of %d", count, file.NumRows())
	}
	return nil
}

// openParquet opens a file, and makes sure that no size in it that the library
// would believe is more than the file can have.
func openParquet(f *os.File) (*parquet.File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if !info.Mode().IsRegular() {
		return nil, errors.New("no regular file")
	}
	if size < 12 {
		return nil, fmt.Errorf("corrupt: %d bytes are no Parquet file", size)
	}
	tail := make([]byte, 8)
	if _, err := f.ReadAt(tail, size-8); err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	if string(tail[4:]) != "PAR1" || length > min(size-12, footerMax) {
		return nil, errors.New("corrupt: no end of a Parquet file; it may be cut off")
	}
	footer := make([]byte, length)
	if _, err := f.ReadAt(footer, size-8-length); err != nil {
		return nil, err
	}
	if err := checkFooter(footer); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.FileReadMode(parquet.ReadModeSync))
	if err != nil {
		return nil, fmt.Errorf("corrupt: %w", err)
	}
	for _, c := range file.Schema().Columns() {
		if len(c) != 1 {
			return nil, fmt.Errorf("column %q is nested", c)
		}
	}
	if err := checkGroups(file, f); err != nil {
		return nil, err
	}
	return file, nil
}

// checkGroups goes through all pages of a file: see [checkPages].
func checkGroups(file *parquet.File, r io.ReaderAt) error {
	var total int64
	buffer := make([]byte, headerMax)
	for _, g := range file.Metadata().RowGroups {
		if g.NumRows < 0 || g.NumRows > file.NumRows()-total {
			return fmt.Errorf("corrupt: more rows in groups than the %d of the file", file.NumRows())
		}
		total += g.NumRows
		if len(g.Columns) != len(file.Schema().Columns()) {
			return errors.New("corrupt: a group lacks a column")
		}
		for i, c := range g.Columns {
			path := file.Schema().Columns()[i]
			m := c.MetaData
			if !slices.Equal(m.PathInSchema, path) {
				return fmt.Errorf("corrupt: column %q in the place of %q", m.PathInSchema, path)
			}
			if m.DataPageOffset < 4 || m.TotalCompressedSize < 0 || m.TotalCompressedSize > file.Size()-m.DataPageOffset || m.NumValues != g.NumRows {
				return fmt.Errorf("corrupt: column %q is not within the file", m.PathInSchema)
			}
			if m.DictionaryPageOffset != 0 || m.Codec != format.Snappy {
				return fmt.Errorf("column %q is encoded by another program, with %v; only plain values compressed by Snappy are read", m.PathInSchema, m.Codec)
			}
			section := io.NewSectionReader(r, m.DataPageOffset, m.TotalCompressedSize)
			leaf, _ := file.Schema().Lookup(path...)
			if err := checkPages(section, g.NumRows, leaf.Node.Optional(), buffer); err != nil {
				return fmt.Errorf("column %q: %w", m.PathInSchema, err)
			}
		}
	}
	if total != file.NumRows() {
		return fmt.Errorf("corrupt: %d rows in groups, %d in the file", total, file.NumRows())
	}
	return nil
}

// checkPages goes through the pages of a column in one group. The library makes
// room for as much as a page says it holds, so this must be what it can hold.
func checkPages(section *io.SectionReader, rows int64, optional bool, buffer []byte) error {
	var protocol thrift.CompactProtocol
	for at := int64(0); at < section.Size(); {
		n, err := section.ReadAt(buffer, at)
		if err != nil && err != io.EOF {
			return err
		}
		reader := protocol.NewReaderFromBytes(buffer[:n])
		var h format.PageHeader
		if err := thrift.NewDecoder(reader).Decode(&h); err != nil {
			return fmt.Errorf("corrupt: header of a page: %w", err)
		}
		at += int64(reader.BytesRead())
		v2 := h.DataPageHeaderV2
		if h.Type != format.DataPageV2 || !v2.Valid || v2.V.Encoding != format.Plain || v2.V.RepetitionLevelsByteLength != 0 {
			return fmt.Errorf("encoded by another program, as %v in %v; only plain values are read", v2.V.Encoding, h.Type)
		}
		levels := int64(v2.V.DefinitionLevelsByteLength)
		if v2.V.NumValues < 0 || int64(v2.V.NumValues) > rows || levels < 0 || levels > int64(h.CompressedPageSize) ||
			h.UncompressedPageSize < 0 || h.UncompressedPageSize > pageMax || int64(h.CompressedPageSize) > section.Size()-at || !optional && levels+int64(v2.V.NumNulls) != 0 {
			return errors.New("corrupt: a page of impossible size")
		}
		rows -= int64(v2.V.NumValues)
		if err := checkPage(section, at, &h, levels, optional); err != nil {
			return err
		}
		at += int64(h.CompressedPageSize)
	}
	if rows != 0 {
		return fmt.Errorf("corrupt: %d values are missing", rows)
	}
	return nil
}

// checkPage checks the two lengths that are within a page: of the runs of levels,
// and of the values once they are decompressed.
func checkPage(section *io.SectionReader, at int64, h *format.PageHeader, levels int64, optional bool) error {
	body := make([]byte, min(int64(h.CompressedPageSize), levels+binary.MaxVarintLen32))
	if _, err := section.ReadAt(body, at); err != nil && err != io.EOF {
		return err
	}
	if optional {
		if err := checkLevels(body[:levels], int64(h.DataPageHeaderV2.V.NumValues), int64(h.DataPageHeaderV2.V.NumNulls)); err != nil {
			return err
		}
	}
	if compressed := h.DataPageHeaderV2.V.IsCompressed; compressed.Valid && !compressed.V || len(body) == int(levels) {
		return nil
	}
	n, err := snappy.DecodedLen(body[levels:])
	if err != nil || int64(n) != int64(h.UncompressedPageSize)-levels {
		return fmt.Errorf("corrupt: a page of %d bytes, not the %d that it says", n, int64(h.UncompressedPageSize)-levels)
	}
	return nil
}

// checkLevels makes sure that runs of one-bit levels, of which 0 is null, hold as
// many values and nulls as a page says. A run is a length and the level it repeats,
// or eights of packed levels; the last of those may be more than there are values.
func checkLevels(runs []byte, values, nulls int64) error {
	present := values - nulls
	for len(runs) > 0 {
		u, n := binary.Uvarint(runs)
		count, length := int64(u>>1), int64(1)
		packed := u&1 != 0
		if packed {
			count, length = 8*count, count
		}
		if n <= 0 || u > 1<<32 || count == 0 || length > int64(len(runs)-n) || packed && count > values+7 || !packed && count > values {
			return errLevels
		}
		for _, b := range runs[n : n+int(length)] {
			switch {
			case !packed && b == 1:
				present -= count
			case !packed && b != 0:
				return errLevels
			case packed:
				present -= int64(bits.OnesCount8(b & byte(1<<min(values, 8)-1)))
				values -= min(values, 8)
			}
		}
		if !packed {
			values -= count
		}
		runs = runs[n+int(length):]
	}
	if values != 0 || present != 0 {
		return errLevels
	}
	return nil
}

var errLevels = errors.New("corrupt: levels that are not those of the values")
