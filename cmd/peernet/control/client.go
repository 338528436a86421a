package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"syscall"
)

// ErrNoDaemon is the error of a socket that nobody serves.
var ErrNoDaemon = errors.New("no daemon runs there")

// A Client talks to a daemon.
type Client struct {
	path string
	http http.Client
}

// NewClient returns a client of the daemon that serves a socket.
func NewClient(path string) *Client {
	c := &Client{path: path}
	c.http.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}
	return c
}

// post sends a request. The caller closes the answer's body.
func (c *Client) post(ctx context.Context, path string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://daemon/v1/"+path, body)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%s: %w", c.path, ErrNoDaemon)
	case err != nil:
		return nil, errors.Unwrap(err)
	case answer.StatusCode == http.StatusOK:
		return answer, nil
	}
	defer answer.Body.Close()
	var f failure
	text, _ := io.ReadAll(io.LimitReader(answer.Body, bodyMax))
	if json.Unmarshal(text, &f) != nil || f.Error == "" {
		f.Error = fmt.Sprintf("the daemon answers %s %q", answer.Status, text)
	}
	return nil, errors.New(f.Error)
}

// Do sends a request whose answer is one object, and decodes it into answer
// unless that is nil.
func (c *Client) Do(ctx context.Context, path string, r Request, answer any) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return c.Upload(ctx, path, bytes.NewReader(body), answer)
}

// Upload is Do with a body that is read as it is sent.
func (c *Client) Upload(ctx context.Context, path string, body io.Reader, answer any) error {
	got, err := c.post(ctx, path, body)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if answer == nil {
		return nil
	}
	return json.NewDecoder(got.Body).Decode(answer)
}

// Lines sends a request and yields the lines of the answer.
func Lines[T any](ctx context.Context, c *Client, path string, r Request) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		body, err := json.Marshal(r)
		if err != nil {
			yield(none, err)
			return
		}
		got, err := c.post(ctx, path, bytes.NewReader(body))
		if err != nil {
			yield(none, err)
			return
		}
		defer got.Body.Close()
		lines := json.NewDecoder(got.Body)
		for {
			var line struct {
				failure
				raw json.RawMessage
			}
			err := lines.Decode(&line.raw)
			if errors.Is(err, io.EOF) {
				return
			}
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			var v T
			if err == nil {
				if json.Unmarshal(line.raw, &line.failure) == nil && line.Error != "" {
					err = errors.New(line.Error)
				} else {
					err = json.Unmarshal(line.raw, &v)
				}
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}
