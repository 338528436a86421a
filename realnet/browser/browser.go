//go:build js

package browser

import (
	"errors"
	"fmt"
	"sync"
	"syscall/js"
)

// Handlers are functions that a browser calls when something happens.
type Handlers struct {
	guard   sync.Mutex
	release []func()
}

// On has f called with each event of a kind. f must not wait.
func (h *Handlers) On(target js.Value, event string, f func(js.Value)) {
	handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	})
	target.Call("addEventListener", event, handler)
	h.guard.Lock()
	defer h.guard.Unlock()
	h.release = append(h.release, func() {
		target.Call("removeEventListener", event, handler)
		handler.Release()
	})
}

// Off ends all of it.
func (h *Handlers) Off() {
	h.guard.Lock()
	release := h.release
	h.release = nil
	h.guard.Unlock()
	for _, f := range release {
		f()
	}
}

// Try calls what may throw.
func Try(f func() js.Value) (v js.Value, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case js.Error:
			err = errorOf(r.Value)
		default:
			err = errors.New(fmt.Sprint(r))
		}
	}()
	return f(), nil
}

// errorOf is the error of what a browser throws.
func errorOf(v js.Value) error {
	if v.Type() == js.TypeObject && v.Get("message").Truthy() {
		return errors.New(v.Get("message").String())
	}
	return errors.New(v.String())
}

// Await waits for a promise.
func Await(promise js.Value) (js.Value, error) {
	type result struct {
		value js.Value
		err   error
	}
	done := make(chan result, 1)
	ok := js.FuncOf(func(_ js.Value, args []js.Value) any {
		v := js.Undefined()
		if len(args) > 0 {
			v = args[0]
		}
		done <- result{value: v}
		return nil
	})
	failed := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- result{err: errorOf(args[0])}
		return nil
	})
	defer ok.Release()
	defer failed.Release()
	promise.Call("then", ok, failed)
	r := <-done
	return r.value, r.err
}
