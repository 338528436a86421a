package scenario

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"peernet/actors/peer"
)

// A Duration is written with a unit, such as 10ms, 1.5s or 2h.
type Duration time.Duration

// String formats d with units.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON implements [json.Marshaler].
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

func (d *Duration) parse(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("want a duration with its unit, such as 10ms or 1.5s, not %q", text)
	}
	*d = Duration(v)
	return nil
}

// A Span is a time within the run: a duration from the start, or a percentage
// of the run's duration, such as 50%.
type Span struct {
	Time    Duration
	Percent int
}

// Of returns the time within a run.
func (s Span) Of(duration time.Duration) time.Duration {
	return time.Duration(s.Time) + duration/100*time.Duration(s.Percent)
}

// String formats the span as it is written.
func (s Span) String() string {
	if s.Percent != 0 {
		return fmt.Sprintf("%d%%", s.Percent)
	}
	return s.Time.String()
}

// MarshalJSON implements [json.Marshaler].
func (s Span) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

func (s *Span) parse(text string) error {
	if digits, ok := strings.CutSuffix(text, "%"); ok {
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("want a whole percentage from 0%% to 100%%, not %q", text)
		}
		*s = Span{Percent: n}
		return nil
	}
	v, err := time.ParseDuration(text)
	d := Duration(v)
	if err != nil || d < 0 {
		return fmt.Errorf("want a duration such as 2s, or a share of the run such as 50%%, not %q", text)
	}
	*s = Span{Time: d}
	return nil
}

// A Fanout is a number of peers, or "all".
type Fanout int

// String formats the fan-out as it is written.
func (f Fanout) String() string {
	if f == peer.FanoutAll {
		return "all"
	}
	return strconv.Itoa(int(f))
}

// MarshalJSON implements [json.Marshaler].
func (f Fanout) MarshalJSON() ([]byte, error) {
	if f == peer.FanoutAll {
		return []byte(`"all"`), nil
	}
	return []byte(strconv.Itoa(int(f))), nil
}

func (f *Fanout) parse(text string) error {
	if text == "all" {
		*f = peer.FanoutAll
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fmt.Errorf("want a positive number of peers or all, not %q", text)
	}
	*f = Fanout(n)
	return nil
}

// A Percent is a number with up to two decimals, held in hundredths, so that
// no floating point comes near the simulation.
type Percent int

// String formats the number.
func (p Percent) String() string { return fmt.Sprintf("%d.%02d", p/100, p%100) }

// MarshalJSON implements [json.Marshaler].
func (p Percent) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

func (p *Percent) parse(text string) error {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint((whole + fraction + "00")[:len(whole)+2], 10, 31)
	if err != nil || len(fraction) > 2 || whole == "" {
		return fmt.Errorf("want a number with at most two decimals, such as 0.5, not %q", text)
	}
	*p = Percent(n)
	return nil
}

// A Share is a percentage of something with up to four decimals, such as 0.5%,
// held in millionths of the whole.
type Share int

// whole is a Share of 100 %.
const whole = 1_000_000

// Of returns the share of n, rounded to the nearest.
func (s Share) Of(n int) int { return int((int64(s)*int64(n) + whole/2) / whole) }

// String formats the share as it is written.
func (s Share) String() string {
	text := strings.TrimRight(fmt.Sprintf("%d.%04d", s/10_000, s%10_000), "0")
	return strings.TrimRight(text, ".") + "%"
}

// MarshalJSON implements [json.Marshaler].
func (s Share) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

func (s *Share) parse(text string) error {
	digits, ok := strings.CutSuffix(text, "%")
	whole, fraction, _ := strings.Cut(strings.TrimSpace(digits), ".")
	n, err := strconv.ParseUint((whole + fraction + "0000")[:len(whole)+4], 10, 31)
	if !ok || err != nil || whole == "" || len(fraction) > 4 || n > 1_000_000 {
		return fmt.Errorf("want a percentage from 0%% to 100%%, such as 0.5%%, not %q", text)
	}
	*s = Share(n)
	return nil
}

// A Bandwidth is a number of bits per second, written with a unit, such as 10Mbit;
// unlimited is 0.
type Bandwidth int64

// bandwidthUnits are the units of a Bandwidth, largest first.
var bandwidthUnits = []struct {
	name string
	bits Bandwidth
}{{"Gbit", 1e9}, {"Mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

// String formats the bandwidth as it is written.
func (b Bandwidth) String() string {
	if b == 0 {
		return "unlimited"
	}
	for _, u := range bandwidthUnits {
		if b%u.bits == 0 {
			return fmt.Sprintf("%d%s", b/u.bits, u.name)
		}
	}
	return ""
}

// MarshalJSON implements [json.Marshaler].
func (b Bandwidth) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

func (b *Bandwidth) parse(text string) error {
	if text == "unlimited" {
		*b = 0
		return nil
	}
	for _, u := range bandwidthUnits {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil || n < 1 || Bandwidth(n) > bandwidthMax/u.bits {
			break
		}
		*b = Bandwidth(n) * u.bits
		return nil
	}
	return fmt.Errorf("want a bandwidth in bits per second, such as 500kbit, 10Mbit or 1Gbit, or unlimited, not %q", text)
}

// bandwidthMax is the largest Bandwidth.
const bandwidthMax = Bandwidth(1e12)

// Times and Spans are lists of such values.
type (
	Times []Duration
	Spans []Span
)
