package scenario

import (
	"context"
	"os"
	"testing"
	"time"
)

func TestProf(t *testing.T) {
	f := os.Getenv("SCN")
	if f == "" {
		t.Skip()
	}
	s, err := Load("../../experiments/" + f + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.Set("nodes", os.Getenv("N"))
	if d := os.Getenv("D"); d != "" {
		s.Set("duration", d)
	}
	if d := os.Getenv("M"); d != "" {
		s.Set("messages", d)
	}
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	sum, err := Run(context.Background(), s, Options{Workers: 1})
	t.Logf("%+v %v", sum, err)
	_ = time.Now
}
