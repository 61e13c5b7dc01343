package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// retryLongest is the longest pause before a lost watch is tried again.
const retryLongest = 2 * time.Second

// watched is a part of the API server's objects that a store mirrors.
type watched struct {
	// name is what the log calls them.
	name      string
	prototype runtime.Object
	// ask begins a request for them; choose has the selectors, if any.
	ask    func() *rest.Request
	choose metav1.ListOptions
	store  cache.ReflectorStore
	// failed is told of what stands in the way, nil when nothing does.
	failed func(error)
}

// run keeps the store up to date until the context ends. A lost or expired watch, an
// API server that is away and a resource that is not defined yet are tried again.
func (w watched) run(ctx context.Context, log *slog.Logger) {
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return w.request(options).Do(ctx).Get()
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			stream, err := w.request(options).Watch(ctx)
			w.failed(err) // the reflector tries some again without telling
			return stream, err
		},
	}
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 10, Cap: retryLongest}
	reflector := cache.NewReflectorWithOptions(source, w.prototype, w.store, cache.ReflectorOptions{
		Name: w.name, Backoff: &backoff})
	for pause := backoff.Duration; ctx.Err() == nil; {
		err := reflector.ListAndWatchWithContext(ctx)
		if ctx.Err() != nil {
			return
		}
		switch w.failed(err); {
		case err == nil:
			pause = backoff.Duration
		case apierrors.IsNotFound(err):
			log.Debug("waiting for the resource", "resource", w.name)
		default:
			log.Warn("watch lost", "resource", w.name, "error", err, "retry", pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
			pause = min(2*pause, retryLongest)
		}
	}
}

// request is not tried again by itself: run does this.
func (w watched) request(options metav1.ListOptions) *rest.Request {
	options.FieldSelector, options.LabelSelector = w.choose.FieldSelector, w.choose.LabelSelector
	return w.ask().VersionedParams(&options, metav1.ParameterCodec).MaxRetries(0)
}
