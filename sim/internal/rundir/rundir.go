// Package rundir has what the packages share that read the directories of runs. Such
// a directory may be a stranger's.
package rundir

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Check says what to name instead if a file is named as the directory of a run.
func Check(name string) error {
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file; want the directory of a run, as sim run --out DIR writes it", name)
	}
	return nil
}

// ReadFile reads a file of at most so many bytes. All its errors name the file.
func ReadFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("has more than %d bytes", most)}
	}
	return text, nil
}
