package book_test

import (
	"testing"

	"peernet/actors/book"
	"peernet/actors/book/booktest"
)

func openMemory(*testing.T) book.Book { return &book.Memory{} }

func TestMemory(t *testing.T) { booktest.Test(t, openMemory) }

func TestPolicy(t *testing.T) { booktest.Policy(t, openMemory) }
