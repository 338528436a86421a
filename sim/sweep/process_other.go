//go:build !linux

package sweep

import "syscall"

// dieWithParent can do nothing here: a process whose sweep was killed goes on to its
// end, and what it writes is not used.
func dieWithParent() *syscall.SysProcAttr { return nil }
