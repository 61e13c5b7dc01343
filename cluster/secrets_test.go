package cluster_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const raced = "registry.example.com"

// told is what an account's namespace tells of secrets, or the image named.
func (w *world) told(t *testing.T, login string, image ...string) v1alpha1.Secrets {
	t.Helper()
	var object client.Object = &corev1.Namespace{}
	at := client.ObjectKey{Name: v1alpha1.Namespace(login)}
	for _, name := range image {
		object, at = &v1alpha1.Image{}, client.ObjectKey{Namespace: at.Name, Name: name}
	}
	must(t, w.Get(t.Context(), at, object))
	return v1alpha1.SecretsOf(object)
}

// connectLater is a client whose clock is ahead: what is loose is due.
func (w *world) connectLater(t *testing.T) *cluster.Client {
	t.Helper()
	c, err := cluster.New(cluster.Options{Kubeconfig: w.kubeconfig, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	must(t, err)
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, c.Start(ctx))
	return c
}

// swept sweeps by a clock that is ahead, and then holds that those Secrets of the account
// are there that are told of, want of them, and no others.
func (w *world) swept(t *testing.T, later *cluster.Client, login string, want int) {
	t.Helper()
	var told, there []string
	eventually(t, "nothing is loose", func() bool {
		must(t, later.Sweep(t.Context()))
		holders := []v1alpha1.Secrets{w.told(t, login)}
		var images v1alpha1.ImageList
		must(t, w.List(t.Context(), &images, client.InNamespace(v1alpha1.Namespace(login))))
		for i := range images.Items {
			holders = append(holders, v1alpha1.SecretsOf(&images.Items[i]))
		}
		told = nil
		loose := 0
		for _, holder := range holders {
			loose += len(holder.Loose)
			for _, kept := range holder.Kept {
				told = append(told, kept.Secret)
			}
		}
		return loose == 0
	})
	var list corev1.SecretList
	must(t, w.List(t.Context(), &list, client.InNamespace(v1alpha1.Namespace(login))))
	for i := range list.Items {
		there = append(there, list.Items[i].Name)
		if fixed := list.Items[i].Immutable; fixed == nil || !*fixed {
			t.Errorf("the Secret %s may change: nodes would take it from builds that run when it is replaced", list.Items[i].Name)
		}
	}
	slices.Sort(told)
	slices.Sort(there)
	if !slices.Equal(told, there) || len(told) != want {
		t.Errorf("told of %v, there are %v, want %d", told, there, want)
	}
}

// between is a client whose writes go past a function first, which says whether the API
// server gets to see them, and whether the client gets to see its answer. settled waits
// until no write is under way.
func (w *world) between(t *testing.T, before func() (arrives, answered bool)) (c *cluster.Client, settled func()) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", w.kubeconfig)
	must(t, err)
	target, err := url.Parse(config.Host)
	must(t, err)
	through, err := rest.TransportFor(config)
	must(t, err)
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.FlushInterval, forward.Transport = -1, through
	var underWay sync.RWMutex
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			forward.ServeHTTP(rw, r)
			return
		}
		underWay.RLock()
		defer underWay.RUnlock()
		arrives, answered := before()
		if arrives && answered {
			forward.ServeHTTP(rw, r)
			return
		}
		if arrives { // whether or not its sender is still there
			forward.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
		}
		panic(http.ErrAbortHandler) // the connection breaks
	}))
	raw, err := clientcmd.LoadFromFile(w.kubeconfig)
	must(t, err)
	for _, c := range raw.Clusters {
		c.Server, c.CertificateAuthorityData, c.CertificateAuthority = server.URL, nil, ""
	}
	raw.AuthInfos = nil
	for _, c := range raw.Contexts {
		c.AuthInfo = ""
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*raw, kubeconfig))
	t.Cleanup(func() { // after the client is closed, and with it the watches
		server.CloseClientConnections()
		server.Close()
	})
	settled = func() {
		underWay.Lock()
		defer underWay.Unlock()
	}
	return worldOf(t, &clustertest.Cluster{Kubeconfig: kubeconfig}).connect(t, nil), settled
}

// change is one of a login's, or of a build secret's.
type change func(context.Context, *cluster.Client, string) error

func removeLogin(ctx context.Context, c *cluster.Client, login, mutation string) error {
	err := c.DeleteRegistryCredential(ctx, model.Key{Login: login, Name: raced}, mutation)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// TestSecretsMeet: two replicas change the same login at the same moment: one of them is
// held up before each of its writes while the other one makes its change whole.
func TestSecretsMeet(t *testing.T) {
	w := newWorld(t)
	later, other := w.connectLater(t), w.connect(t, nil)
	set := func(ctx context.Context, c *cluster.Client, login string) error { return setLogin(ctx, c, login, "") }
	remove := func(ctx context.Context, c *cluster.Client, login string) error {
		return removeLogin(ctx, c, login, "")
	}
	var at, writes atomic.Int64
	var meanwhile func()
	slow, _ := w.between(t, func() (bool, bool) {
		if writes.Add(1) == at.Load() {
			meanwhile()
		}
		return true, true
	})
	for _, c := range []struct {
		reason        string
		first, second change
		want          []int // how many logins are left, by the write that is held up
	}{
		{"set, and deleted meanwhile", set, remove, []int{1, 1, 1}},
		{"deleted, and set meanwhile", remove, set, []int{0, 1, 1}},
		{"set twice", set, set, []int{1, 1, 1}},
		{"deleted twice", remove, remove, []int{0, 0, 0}},
	} {
		for held, want := range c.want {
			login := newLogin()
			must(t, setLogin(t.Context(), other, login, "there"))
			meanwhile = func() {
				if err := c.second(t.Context(), other, login); err != nil {
					t.Errorf("%s: the second: %v", c.reason, err)
				}
			}
			writes.Store(0)
			at.Store(int64(held + 1))
			if err := c.first(t.Context(), slow, login); err != nil {
				t.Errorf("%s, before write %d: the first: %v", c.reason, held+1, err)
			}
			if writes.Load() <= int64(held) {
				t.Errorf("%s: there is no write %d", c.reason, held+1)
			}
			w.swept(t, later, login, want)
		}
	}
}

// TestSecretsBreakOff: a replica dies before or after any write of a change. What is told
// of is there all the time, nothing else stays, and the same change again is made once.
func TestSecretsBreakOff(t *testing.T) {
	w := newWorld(t)
	later, other := w.connectLater(t), w.connect(t, nil)
	set := func(ctx context.Context, c *cluster.Client, login string) error {
		return setLogin(ctx, c, login, "change")
	}
	remove := func(ctx context.Context, c *cluster.Client, login string) error {
		return removeLogin(ctx, c, login, "change")
	}
	var at, writes atomic.Int64
	var arrives atomic.Bool
	var die func()
	dying, settled := w.between(t, func() (bool, bool) {
		if writes.Add(1) < at.Load() {
			return true, true
		}
		die() // and all that it would write later is lost
		return arrives.Load() && writes.Load() == at.Load(), false
	})
	for _, c := range []struct {
		reason string
		there  bool
		do     change
		want   int
	}{
		{"a first login", false, set, 1},
		{"a login in place of another", true, set, 1},
		{"a deletion", true, remove, 0},
	} {
		for write := int64(1); write <= 3; write++ {
			for _, seen := range []bool{false, true} {
				login := newLogin()
				must(t, setLogin(t.Context(), other, login, "before"))
				if !c.there {
					must(t, removeLogin(t.Context(), other, login, "before"))
				}
				ctx, cancel := context.WithCancel(t.Context())
				die = cancel
				writes.Store(0)
				at.Store(write)
				arrives.Store(seen)
				_ = c.do(ctx, dying, login) // whatever it is told, it is dead
				cancel()
				settled()
				if writes.Load() < write {
					t.Errorf("%s: no write %d", c.reason, write)
				}
				w.swept(t, later, login, len(w.told(t, login).Kept))
				if again := c.do(t.Context(), other, login); again != nil {
					t.Errorf("%s again, broken off at write %d (%v): %v", c.reason, write, seen, again)
				}
				w.swept(t, later, login, c.want)
			}
		}
	}
}

// TestSecretsInDisorder: replicas set and delete the same login all the time, some writes
// get lost, and some of their answers.
func TestSecretsInDisorder(t *testing.T) {
	w := newWorld(t)
	later, login := w.connectLater(t), newLogin()
	must(t, setLogin(t.Context(), later, login, ""))
	var writes atomic.Int64
	lossy, settled := w.between(t, func() (bool, bool) {
		n := writes.Add(1)
		return n%5 != 0, n%7 != 0
	})
	replicas := []*cluster.Client{w.connect(t, nil), lossy, w.connect(t, nil)}
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			for round := range 6 {
				do := setLogin
				if (i+round)%2 == 0 {
					do = removeLogin
				}
				err := do(t.Context(), replicas[i%3], login, "")
				if kind := fault.KindOf(err); err != nil && kind != fault.Unavailable && kind != fault.Conflict && !errors.Is(err, context.Canceled) {
					t.Errorf("change %d of %d: %v", round, i, err)
				}
			}
		})
	}
	group.Wait()
	settled()
	w.swept(t, later, login, len(w.told(t, login).Kept))
	must(t, setLogin(t.Context(), replicas[0], login, ""))
	w.swept(t, later, login, 1)
}

// TestSecretsLinger: one that was replaced stays for builds that are about to mount it,
// one that was deleted does not, and what was announced long ago is taken for lost.
func TestSecretsLinger(t *testing.T) {
	w := newWorld(t)
	c, login := w.connect(t, nil), newLogin()
	must(t, setLogin(t.Context(), c, login, "one"))
	first := w.secret(t, login, raced)
	must(t, setLogin(t.Context(), c, login, "two"))
	must(t, c.Sweep(t.Context()))
	must(t, w.Get(t.Context(), client.ObjectKeyFromObject(first), first))
	second := w.secret(t, login, raced)
	must(t, removeLogin(t.Context(), c, login, ""))
	if err := w.Get(t.Context(), client.ObjectKeyFromObject(second), second); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("a deleted login's Secret: %v", err)
	}
	w.swept(t, w.connectLater(t), login, 0)

	var told v1alpha1.Secrets
	told.Announce("late", metav1.Now())
	if told.Forget("late"); told.Keep(v1alpha1.KeptSecret{Use: v1alpha1.SecretRegistry, Secret: "late"}, metav1.Now()) {
		t.Error("a Secret that was taken for lost came into use")
	}
}
