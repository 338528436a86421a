package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
)

// An Experiment is a published result, the program that runs it again, and what it is
// held against.
type Experiment struct {
	Name string // of its folder
	Expected
	// README is the text of the file, Markdown.
	README string
	// Plots draws what the paper plots, from results that may lack cases; nil is
	// nothing.
	Plots func(*Results) []Plot

	run func(t *Trial, parameters ...json.RawMessage) error
}

// New returns an experiment: its README.md and expected.json are in files, and its
// program is trial, which is called once for each case and seed, with the parameters of
// the case. It is called by many goroutines at once. New panics if the files are wrong.
func New[Parameters any](name string, files fs.FS, trial func(*Trial, Parameters) error) *Experiment {
	e := &Experiment{Name: name}
	e.run = func(t *Trial, parameters ...json.RawMessage) error {
		p, err := decode[Parameters](parameters)
		if err != nil {
			return err
		}
		return trial(t, p)
	}
	if err := e.load(files, func(p ...json.RawMessage) error { _, err := decode[Parameters](p); return err }); err != nil {
		panic(fmt.Sprintf("lab: experiment %s: %v", name, err))
	}
	return e
}

// decode reads parameters; later ones replace earlier ones, key by key.
func decode[Parameters any](all []json.RawMessage) (p Parameters, err error) {
	for _, text := range all {
		if len(text) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			return p, fmt.Errorf("parameters: %w", err)
		}
	}
	return p, nil
}

// load reads the files, and tries the parameters.
func (e *Experiment) load(files fs.FS, try func(...json.RawMessage) error) error {
	readme, err := fs.ReadFile(files, "README.md")
	if err != nil {
		return err
	}
	e.README = string(readme)
	text, err := fs.ReadFile(files, "expected.json")
	if err != nil {
		return err
	}
	if e.Expected, err = parseExpected(text); err != nil {
		return fmt.Errorf("expected.json: %w", err)
	}
	for _, c := range e.Cases {
		if err := try(c.Parameters); err != nil {
			return fmt.Errorf("expected.json: case %s: %w", c.Name, err)
		}
	}
	for _, c := range e.Controls {
		if err := try(e.find(c.Case).Parameters, c.Parameters); err != nil {
			return fmt.Errorf("expected.json: control %s: %w", c.Name, err)
		}
	}
	return nil
}
