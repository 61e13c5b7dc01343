package billing

import (
	"fmt"
	"testing"
)

// TestProblemsMakeRoom: what was set right does not keep from view what comes later.
func TestProblemsMakeRoom(t *testing.T) {
	c, err := New(Options{Key: "sk_test_drydock"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := range maxProblems {
		c.problem(fmt.Sprint("product ", n, ": without a price"))
	}
	c.problem("customer 1: over the bound")
	if n := len(c.problems.list()); n != maxProblems {
		t.Errorf("%d problems are listed, want %d at most", n, maxProblems)
	}
	c.problems.clear("product ")
	c.problem("customer 1: with room again")
	if got := c.problems.list(); len(got) != 1 || got[0] != "customer 1: with room again" {
		t.Errorf("got %q", got)
	}
}

// TestBeginAfterClose: nothing begins that nobody waits for.
func TestBeginAfterClose(t *testing.T) {
	c, err := New(Options{Key: "sk_test_drydock"})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	began := make(chan struct{}, 1)
	c.begin(func() { began <- struct{}{} })
	c.running.Wait()
	if len(began) > 0 {
		t.Error("it began after Close")
	}
}
