package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits of JSON.
const (
	jsonMax      = 16 << 20 // bytes of a file
	jsonDepthMax = 32
)

// A member is one key of a JSON object, with its value.
type member struct {
	key   string
	value json.RawMessage
}

// members returns what an object holds, in its order.
func members(object json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	var all []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)} // in an object it is nothing else
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// object is the JSON object with these members.
func object(all []member) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(m.key) // of a string there are no errors
		b.Write(key)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// lookUp returns the value of a key as text: of a string what it says, else the
// JSON; and nothing where there is none.
func lookUp(all []member, key string) string {
	for _, m := range all {
		if m.key == key {
			return scalar(m.value)
		}
	}
	return ""
}

func scalar(value json.RawMessage) string {
	var s string
	if len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

// checkObject says what is wrong with the JSON of a manifest or a summary.
func checkObject(text json.RawMessage) error {
	if len(text) > jsonMax {
		return fmt.Errorf("%d bytes, at most %d are allowed", len(text), jsonMax)
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return fmt.Errorf("corrupt: %w", err)
	}
	depth := 0
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // of any size
	for {
		t, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("corrupt: %w", err)
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > jsonDepthMax {
			return fmt.Errorf("nested deeper than %d", jsonDepthMax)
		}
	}
	_, err := members(text)
	return err
}

// Keys of the summary that are fields of a [Run].
const (
	checksKey = "checks"
	marksKey  = "marks"
)

// joinSummary puts the checks and marks into the summary.
func joinSummary(summary json.RawMessage, checks []Check, marks []Mark) (json.RawMessage, error) {
	all, err := members(summary)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.key == checksKey || m.key == marksKey {
			return nil, fmt.Errorf("key %q is for the %s of the run", m.key, m.key)
		}
	}
	for _, extra := range []struct {
		key   string
		value any
		n     int
	}{{checksKey, checks, len(checks)}, {marksKey, marks, len(marks)}} {
		text := []byte("[]")
		if extra.n > 0 {
			if text, err = json.Marshal(extra.value); err != nil {
				return nil, err
			}
		}
		all = append(all, member{extra.key, text})
	}
	return object(all), nil
}

// splitSummary takes the checks and marks out of a summary again. Those that lack
// them are older.
func splitSummary(text json.RawMessage) (summary json.RawMessage, checks []Check, marks []Mark, err error) {
	all, err := members(text)
	if err != nil {
		return nil, nil, nil, err
	}
	kept := all[:0]
	for _, m := range all {
		switch m.key {
		case checksKey:
			err = json.Unmarshal(m.value, &checks)
		case marksKey:
			err = json.Unmarshal(m.value, &marks)
		default:
			kept = append(kept, m)
		}
		if err != nil {
			return nil, nil, nil, fmt.Errorf("key %q: %w", m.key, err)
		}
	}
	return object(kept), checks, marks, nil
}
