package loaders_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/loaders"
	"drydock.dev/drydock/staleness"
)

// shelf is a source that holds what a test puts there and notes what is read.
type shelf struct {
	accounts map[string]*model.Account
	images   map[model.Key]*model.Image
	latest   map[model.Key]*model.Build
	ended    map[string]map[string]int
	failing  map[string]error
	// ages are those of the accounts that are stale.
	ages map[string]time.Duration

	mu         sync.Mutex
	reads      []string
	now, most  int
	hold, held chan struct{}
}

func (s *shelf) sources() loaders.Sources {
	return loaders.Sources{Accounts: s, Images: s, Builds: s}
}

func (s *shelf) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, fmt.Sprintf(format, args...))
}

// sorted are the reads so far, in an order of their own.
func (s *shelf) sorted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.reads))
}

func (s *shelf) Account(ctx context.Context, login string) (*model.Account, error) {
	s.note("account %s", login)
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	if s.hold != nil {
		s.held <- struct{}{}
		<-s.hold
	}
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
	if err := s.failing[login]; err != nil {
		return nil, err
	}
	if login == "panic" {
		panic("a defect")
	}
	if age, ok := s.ages[login]; ok {
		staleness.Tell(ctx, age)
	}
	account, ok := s.accounts[login]
	if !ok {
		return nil, &fault.Error{Kind: fault.NotFound}
	}
	return account, nil
}

func (s *shelf) Image(_ context.Context, key model.Key) (*model.Image, error) {
	s.note("image %s/%s", key.Login, key.Name)
	image, ok := s.images[key]
	if !ok {
		return nil, &fault.Error{Kind: fault.NotFound}
	}
	return image, nil
}

func (s *shelf) LatestBuilds(_ context.Context, images []*model.Image) (map[model.Key]*model.Build, error) {
	s.note("latest builds of %d", len(images))
	return s.latest, nil
}

func (s *shelf) BuildsEnded(_ context.Context, login string, from, to time.Time) (map[string]int, error) {
	s.note("ended %s %s %s", login, from.Format(time.DateOnly), to.Format(time.DateOnly))
	return s.ended[login], nil
}

// together runs every call at once, as the fields of one level do.
func together(calls ...func()) {
	var wait sync.WaitGroup
	for _, call := range calls {
		wait.Go(call)
	}
	wait.Wait()
}

func TestOneKeyIsReadOnce(t *testing.T) {
	s := &shelf{
		accounts: map[string]*model.Account{"ada": {Login: "ada"}},
		images:   map[model.Key]*model.Image{{Login: "ada", Name: "web"}: {UID: "1"}},
	}
	ctx := loaders.With(context.Background(), loaders.New(s.sources()))
	var calls []func()
	for range 50 {
		calls = append(calls, func() {
			if account, err := loaders.For(ctx).Account(ctx, "ada"); err != nil || account.Login != "ada" {
				t.Errorf("account: %v, %v", account, err)
			}
		}, func() {
			if image, err := loaders.For(ctx).Image(ctx, model.Key{Login: "ada", Name: "web"}); err != nil || image.UID != "1" {
				t.Errorf("image: %v, %v", image, err)
			}
		})
	}
	together(calls...)
	if diff := cmp.Diff([]string{"account ada", "image ada/web"}, s.sorted()); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
}

func TestForgetReadsAgain(t *testing.T) {
	s := &shelf{accounts: map[string]*model.Account{"ada": {Login: "ada", Role: model.RoleUser}}}
	l := loaders.New(s.sources())
	ctx := context.Background()
	if _, err := l.Account(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	s.accounts["ada"] = &model.Account{Login: "ada", Role: model.RoleAdmin}
	l.Forget()
	account, err := l.Account(ctx, "ada")
	if err != nil || !account.IsAdmin() {
		t.Errorf("after Forget: %+v, %v; want what is true now", account, err)
	}
}

func TestKeysFailAlone(t *testing.T) {
	down := fault.Wrap(fault.Unavailable, errors.New("down"))
	s := &shelf{
		accounts: map[string]*model.Account{"ada": {Login: "ada"}},
		failing:  map[string]error{"bob": down},
	}
	l := loaders.New(s.sources())
	cases := []struct {
		reason string
		login  string
		kind   fault.Kind
	}{
		{"a key beside failing ones is served", "ada", ""},
		{"an upstream's trouble keeps its kind", "bob", fault.Unavailable},
		{"a defect is an error of its key, not the end of the process", "panic", fault.Internal},
		{"a key that nobody has is not found", "eve", fault.NotFound},
	}
	var calls []func()
	for _, c := range cases {
		calls = append(calls, func() {
			_, err := l.Account(context.Background(), c.login)
			if c.kind == "" && err != nil || c.kind != "" && fault.KindOf(err) != c.kind {
				t.Errorf("%s: %v, want %q", c.reason, err, c.kind)
			}
		})
	}
	together(calls...)
}

func TestAccountsAreReadSomeAtATime(t *testing.T) {
	const asked, bound = 40, 8
	s := &shelf{accounts: map[string]*model.Account{}, hold: make(chan struct{}), held: make(chan struct{}, asked)}
	l := loaders.New(s.sources())
	var calls []func()
	for i := range asked {
		login := fmt.Sprintf("user%d", i)
		s.accounts[login] = &model.Account{Login: login}
		calls = append(calls, func() {
			if _, err := l.Account(context.Background(), login); err != nil {
				t.Error(err)
			}
		})
	}
	go func() {
		for range bound { // every place is taken before the first read may end
			<-s.held
		}
		close(s.hold)
	}()
	together(calls...)
	if s.most != bound {
		t.Errorf("%d reads at a time, want %d", s.most, bound)
	}
}

func TestLatestBuildsFillEveryImage(t *testing.T) {
	web := &model.Image{Key: model.Key{Login: "ada", Name: "web"}}
	idle := &model.Image{Key: model.Key{Login: "ada", Name: "idle"}}
	s := &shelf{latest: map[model.Key]*model.Build{web.Key: {Number: 7}}}
	l := loaders.New(s.sources())
	var build, none *model.Build
	var errs [2]error
	together(
		func() { build, errs[0] = l.LatestBuild(context.Background(), web) },
		func() { none, errs[1] = l.LatestBuild(context.Background(), idle) },
	)
	if errs[0] != nil || build == nil || build.Number != 7 {
		t.Errorf("web: %v, %v; want number 7", build, errs[0])
	}
	if errs[1] != nil || none != nil {
		t.Errorf("idle: %v, %v; want nil and no error, for it has no builds", none, errs[1])
	}
}

func TestBuildsEndedFillEveryDay(t *testing.T) {
	s := &shelf{ended: map[string]map[string]int{"ada": {"2026-02-27": 2}, "bob": {"2026-03-02": 5}}}
	l := loaders.New(s.sources())
	got := map[string]int{}
	var mu sync.Mutex
	var calls []func()
	for _, login := range []string{"ada", "bob"} {
		for _, date := range []string{"2026-03-02", "2026-02-27", "2026-02-28"} {
			calls = append(calls, func() {
				count, err := l.BuildsEnded(context.Background(), login, date)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got[login+" "+date] = count
			})
		}
	}
	together(calls...)
	want := map[string]int{
		"ada 2026-02-27": 2, "ada 2026-02-28": 0, "ada 2026-03-02": 0,
		"bob 2026-02-27": 0, "bob 2026-02-28": 0, "bob 2026-03-02": 5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestForWithoutLoadersPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic: a nil would fail later, and further away")
		}
	}()
	loaders.For(context.Background())
}

// TestStaleAccountsAreTold has many fields ask for one account, which the source gives
// from memory because its upstream is down.
func TestStaleAccountsAreTold(t *testing.T) {
	s := &shelf{
		accounts: map[string]*model.Account{"ada": {Login: "ada"}, "bob": {Login: "bob"}},
		ages:     map[string]time.Duration{"ada": time.Minute},
	}
	l := loaders.New(s.sources())
	told := make(map[string][]time.Duration)
	var mu sync.Mutex
	var calls []func()
	ask := func(field, login string) func() {
		ctx := staleness.With(context.Background(), func(_ context.Context, age time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			told[field] = append(told[field], age)
		})
		return func() {
			if account, err := l.Account(ctx, login); err != nil || account.Login != login {
				t.Errorf("%s: %v, %v", field, account, err)
			}
		}
	}
	for i := range 5 {
		calls = append(calls, ask(fmt.Sprint("a", i), "ada"), ask(fmt.Sprint("b", i), "bob"))
	}
	together(calls...)
	ask("later", "ada")() // from the loader's memory
	want := map[string][]time.Duration{"later": {time.Minute}}
	for i := range 5 {
		want[fmt.Sprint("a", i)] = []time.Duration{time.Minute}
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("ages told, by field (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"account ada", "account bob"}, s.sorted()); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
}
