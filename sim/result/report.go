package result

import "io"

// Report writes.
func Report(w io.Writer, r *Run) error { return nil }
