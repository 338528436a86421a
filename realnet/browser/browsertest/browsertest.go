//go:build !js

// Package browsertest runs tests in a headless Chromium.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Required is the environment variable that has tests fail, not skip, where there is
// no browser.
const Required = "PEERNET_BROWSER_REQUIRED"

// programs are the names under which Chromium is installed.
var programs = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// Start starts a browser that ends with the test, and returns the context of its first
// tab. Where there is none the test is skipped. WebRTC works over loopback in it, and
// pages tell their addresses.
func Start(t testing.TB) context.Context {
	t.Helper()
	program := ""
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv(Required) != "" {
			t.Fatal("no Chromium is installed, and " + Required + " is set")
		}
		t.Skip("no Chromium is installed: on Debian, apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-features", "WebRtcHideLocalIpsWithMdns"),
		chromedp.Flag("allow-loopback-in-peer-connection", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		// Tabs in the background are peers too.
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.WSURLReadTimeout(time.Minute),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithLogf(t.Logf))
	t.Cleanup(cancel)
	if _, err := chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	return ctx
}

// Tab opens one more tab.
func Tab(t testing.TB, browser context.Context) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	Open(t, ctx, "about:blank")
	return ctx
}

// Until waits until a JavaScript expression, which may be a promise, is true.
func Until(t testing.TB, tab context.Context, what, expression string) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var ok bool
		if ok, err = Eval[bool](tab, "(async () => Boolean("+expression+"))()"); err == nil && ok {
			return
		}
	}
	text, _ := Eval[string](tab, "document.body.innerText")
	t.Fatalf("%s: not within 30 s (%v); the page shows\n%s", what, err, text)
}

// Open has a tab load a page.
func Open(t testing.TB, tab context.Context, url string) {
	t.Helper()
	if _, err := chromedp.Run(tab, chromedp.Navigate(url)); err != nil {
		t.Fatalf("opening %s: %v", url, err)
	}
}

// Eval returns what a JavaScript expression, which may be a promise, comes to.
func Eval[T any](tab context.Context, expression string) (T, error) {
	return chromedp.Run(tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Picture returns a picture of all of a page, as PNG, in a window of a width. The tab
// keeps that width.
func Picture(t testing.TB, tab context.Context, width int64) []byte {
	t.Helper()
	if _, err := chromedp.Run(tab, chromedp.EmulateViewport(width, 900)); err != nil {
		t.Fatal(err)
	}
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}
