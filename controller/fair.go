package controller

import (
	"sync"
	"time"
)

// places are the builds that the installation runs at once, shared among the accounts by
// max-min fairness: whoever runs the fewest is next, and among those whoever got none for
// the longest. Nobody's place is taken away.
//
// What is held here follows from the Builds: see queue.begin. A decision looks at every
// account that waits, however many builds each has in its queue.
type places struct {
	// most is how many there are; 0: as many as plans allow.
	most int
	// wake has an account's queue walked through.
	wake func(namespace string)
	now  func() time.Time

	mu       sync.Mutex
	taken    int
	accounts map[string]*share
}

// share is what an account has of the places, and whether it waits for another.
type share struct {
	running int
	// ready: its oldest build may begin as soon as there is a place. unseen: builds of it
	// wait that nobody looked at yet.
	ready, unseen bool
	// since is when its turn began: it had a build to run, and got no place since.
	since time.Time
	// served is when it got a place last.
	served time.Time
}

func (p *places) share(namespace string) *share {
	if p.accounts == nil {
		p.accounts = map[string]*share{}
	}
	if p.accounts[namespace] == nil {
		p.accounts[namespace] = &share{}
	}
	return p.accounts[namespace]
}

// restore tells what accounts had before this process led: how many builds run, whether
// some wait, and when they got a place last.
func (p *places) restore(accounts map[string]*share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts, p.taken = accounts, 0
	for _, s := range accounts {
		p.taken += s.running
	}
}

// join tells of a build that joined an account's queue. Until that was looked at, others
// get no place if they run more.
func (p *places) join(namespace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.share(namespace).unseen = true
}

// hold tells how many builds of an account run now.
func (p *places) hold(namespace string, running int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.share(namespace)
	p.taken += running - s.running
	s.running = running
	p.stir()
}

// take gives an account a place if it is its turn; else it waits, from the time on when
// its build joined the queue or it got a place last. It is woken when its turn comes.
func (p *places) take(namespace string, joined time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.share(namespace)
	s.ready, s.since = true, later(joined, s.served)
	if p.most > 0 && (p.taken >= p.most || p.next() != namespace) {
		return false
	}
	p.taken++
	s.running, s.ready, s.served = s.running+1, false, p.now()
	return true
}

// giveBack is after a take of which nothing came.
func (p *places) giveBack(namespace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.share(namespace).running--
}

// leave ends a look at an account's queue, in which so many builds are left. It waits for
// a place only where the look ended at that.
func (p *places) leave(namespace string, left int, ready bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.share(namespace)
	s.unseen, s.ready = false, ready && s.ready
	if s.running == 0 && left == 0 {
		delete(p.accounts, namespace)
	}
	p.stir()
}

// stir wakes whoever's turn it is, if there is a place.
func (p *places) stir() {
	if p.most == 0 || p.taken >= p.most {
		return
	}
	if namespace := p.next(); namespace != "" && p.accounts[namespace].ready {
		p.wake(namespace)
	}
}

// next is the account whose turn it is; empty where nobody waits.
func (p *places) next() (found string) {
	for namespace, s := range p.accounts {
		if (s.ready || s.unseen) && (found == "" || s.before(p.accounts[found], namespace < found)) {
			found = namespace
		}
	}
	return found
}

// before tells whether an account's turn is before another's. One that nobody looked at
// goes first only where it runs fewer.
func (s *share) before(other *share, tie bool) bool {
	switch {
	case s.running != other.running:
		return s.running < other.running
	case s.ready != other.ready:
		return s.ready
	case !s.since.Equal(other.since):
		return s.since.Before(other.since)
	default:
		return tie
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// figures are how many places are taken, and how many accounts wait for one.
func (p *places) figures() (taken, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.accounts {
		if s.ready {
			waiting++
		}
	}
	return p.taken, waiting
}
