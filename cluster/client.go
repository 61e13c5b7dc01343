package cluster

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cache"
	"drydock.dev/drydock/graph/model"
)

// Options says which cluster, and who listens.
type Options struct {
	// Kubeconfig is the path of a kubeconfig file; empty: the pod's service account.
	Kubeconfig string
	// Log may be nil: nothing is logged.
	Log *slog.Logger
	// Registerer may be nil: nothing is measured.
	Registerer prometheus.Registerer
	// Now may be nil: the real clock.
	Now func() time.Time
	// UserAgent is what the API server's audit log shows; empty: drydock.
	UserAgent string
	// Billed is told the account of each build that is newly seen with its billing; nil:
	// nobody is. It returns at once, and asks the client nothing.
	Billed func(login string)
}

// Client reads and writes images, builds and logs.
type Client struct {
	log     *slog.Logger
	now     func() time.Time
	drydock *rest.RESTClient
	core    *rest.RESTClient
	params  runtime.ParameterCodec
	images  *store[*model.Image]
	builds  *store[*build]
	homes   *store[*home]
	follows follows
	// chunks of kept logs, by build and name.
	chunks *cache.Cache[*chunk]
	// accounts holds the namespaces that were seen to be an account's own, and its customer.
	accounts sync.Map
	// claiming holds the namespaces that are being annotated with their customer.
	claiming sync.Map
	loose    loose
	writing  stripes

	// life ends with Close, which waits for work.
	life   context.Context
	stop   context.CancelFunc
	work   sync.WaitGroup
	ending sync.Mutex
}

// New makes a client. Nothing is asked of the cluster before Start.
func New(options Options) (*Client, error) {
	c := &Client{log: options.Log, now: options.Now, writing: newStripes()}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	server, err := connect(options.Kubeconfig, options.UserAgent, options.Registerer)
	if err != nil {
		return nil, err
	}
	c.params = server.params
	if c.drydock, err = server.group(v1alpha1.GroupVersion); err != nil {
		return nil, err
	}
	if c.core, err = server.group(corev1.SchemeGroupVersion); err != nil {
		return nil, err
	}
	subscribers, err := newSubscribers(options.Registerer)
	if err != nil {
		return nil, err
	}
	if c.chunks, err = newChunks(options.Registerer); err != nil {
		return nil, err
	}
	c.images = newStore(imageKind(&c.loose), subscribers, c.now)
	c.builds = newStore(buildKind(options.Billed), subscribers, c.now)
	c.homes = newStore(homeKind(&c.loose), subscribers, c.now)
	c.follows.running = map[string]*follow{}
	life := klog.NewContext(context.Background(), logr.FromSlogHandler(c.log.Handler()))
	c.life, c.stop = context.WithCancel(life)
	return c, nil
}

// Start begins to watch, and returns when all is read, or when the context ends.
// What is not there yet, the custom resources or the whole API server, is waited
// for; the watches go on until Close.
func (c *Client) Start(ctx context.Context) error {
	c.spawn(c.life, func(ctx context.Context) { c.images.run(ctx, c.drydock, c.log) })
	c.spawn(c.life, func(ctx context.Context) { c.builds.run(ctx, c.drydock, c.log) })
	c.spawn(c.life, func(ctx context.Context) { c.homes.run(ctx, c.core, c.log) })
	c.spawn(c.life, c.sweep)
	for _, synced := range []<-chan struct{}{c.images.synced, c.builds.synced, c.homes.synced} {
		select {
		case <-synced:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), c.Ready())
		case <-c.life.Done():
			return c.life.Err()
		}
	}
	return nil
}

// Ready is nil once all that is watched is read. It stays so when the API server is
// lost later: reads go on from memory, Details tells how old they are.
func (c *Client) Ready() error {
	return errors.Join(c.images.ready(), c.builds.ready(), c.homes.ready())
}

// Details tells of each kind whether it is synced, how many objects there are, how
// many seconds ago the API server was last heard of, and what stands in the way.
func (c *Client) Details() map[string]any {
	return map[string]any{"images": c.images.details(), "builds": c.builds.details(), "namespaces": c.homes.details()}
}

// Close ends the watches and all that hangs on them; subscribers' channels are closed.
func (c *Client) Close() {
	c.ending.Lock()
	c.stop()
	c.ending.Unlock()
	c.work.Wait()
	c.chunks.Close()
	c.drydock.Client.CloseIdleConnections()
}

// spawn runs a function beside the caller, with a context that ends with ctx or with
// the client, whichever is first. Close waits for it; after Close the function runs at
// once, with a context that has ended.
func (c *Client) spawn(ctx context.Context, run func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	unlink := context.AfterFunc(c.life, cancel)
	task := func() {
		defer cancel()
		defer unlink()
		run(ctx)
	}
	c.ending.Lock()
	ended := c.life.Err() != nil
	if !ended {
		c.work.Go(task)
	}
	c.ending.Unlock()
	if ended {
		cancel()
		task()
	}
}

// open makes a request whose answer is read piece by piece.
func (c *Client) open(ctx context.Context, request *rest.Request) (io.ReadCloser, error) {
	stream, err := request.MaxRetries(1).Stream(ctx)
	return stream, translate(err)
}

// stripes serialises this replica's writes to one thing. What other replicas write
// meanwhile is met by the API server's resource versions.
type stripes [64]chan struct{}

func newStripes() (s stripes) {
	for i := range s {
		s[i] = make(chan struct{}, 1)
	}
	return s
}

// lock waits for the turn, as long as the context lasts, and gives the function that
// ends it.
func (s *stripes) lock(ctx context.Context, name string) (unlock func(), err error) {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	stripe := s[hash.Sum32()%uint32(len(s))]
	select {
	case stripe <- struct{}{}:
		return func() { <-stripe }, nil
	case <-ctx.Done():
		return nil, translate(ctx.Err())
	}
}
