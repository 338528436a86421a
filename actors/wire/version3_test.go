package wire

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"peernet/actors"
)

// The specification must not drift from the code.

func readSpecification(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("VERSION3.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each vector is explained under its name, the bytes in the first column.
func TestSpecificationVectors(t *testing.T) {
	_, examples, _ := strings.Cut(readSpecification(t), "\n## Examples")
	explained := map[string]string{}
	for section := range strings.SplitSeq(examples, "\n### ") {
		name, rest, _ := strings.Cut(section, "\n")
		_, rest, _ = strings.Cut(rest, "```\n")
		block, _, ok := strings.Cut(rest, "```")
		if !ok {
			continue // the introduction
		}
		for line := range strings.Lines(block) {
			column, _, _ := strings.Cut(line, "  ")
			explained[name] += strings.ReplaceAll(column, " ", "")
		}
	}
	vectors := readVectors(t, "vectors3.txt")
	for _, v := range vectors {
		if want := hex.EncodeToString(v.bytes); explained[v.name] != want {
			t.Errorf("%s is explained as\n%s, is\n%s", v.name, explained[v.name], want)
		}
	}
	if len(explained) != len(vectors) {
		t.Errorf("%d vectors are explained, there are %d", len(explained), len(vectors))
	}
}

func TestSpecificationTables(t *testing.T) {
	text := readSpecification(t)
	var rows []string
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"FrameMax", FrameMax}, {"IDMax", IDMax}, {"TypeMax", TypeMax}, {"DataMax", DataMax}, {"NetworkMax", NetworkMax},
		{"AddressMax", actors.AddressMax}, {"AdvertiseMax", AdvertiseMax}, {"AddressesMax", AddressesMax}, {"NodeIDLen", NodeIDLen},
	} {
		rows = append(rows, fmt.Sprintf("\n| `%s` | %d |", limit.name, limit.value))
	}
	for i, name := range goodbyeNames {
		rows = append(rows, fmt.Sprintf("\n| %d | %s |", i, name))
	}
	rows = append(rows, "\n"+`| an Announce without id or hops, or with an empty id | `+"`Invalid`"+`, "`+InvalidMissing+`" |`,
		`| `+"`Invalid`"+`, "`+InvalidOversize+`" |`)
	for _, row := range rows {
		if !strings.Contains(text, row) {
			t.Errorf("VERSION3.md has no row %q", strings.TrimSpace(row))
		}
	}
}
