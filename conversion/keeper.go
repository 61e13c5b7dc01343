package conversion

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// SecretName is the Secret, in the installation's namespace, that holds the certificates.
const SecretName = "drydock-conversion"

const (
	lookEvery  = 30 * time.Second
	retryAfter = time.Second
	fieldOwner = client.FieldOwner("drydock-controller")
)

// KeeperOptions say what a Keeper works with.
type KeeperOptions struct {
	// Config leads to the Kubernetes API.
	Config *rest.Config
	// Namespace holds the Secret.
	Namespace string
	Log       *slog.Logger
	// Now is the clock; time.Now where nil.
	Now func() time.Time
}

// Keeper keeps the certificates by which the API server trusts the webhook: in one Secret
// for all replicas, and in the definitions that name a webhook. Every replica has one; none leads.
type Keeper struct {
	kube    client.Client
	key     client.ObjectKey
	log     *slog.Logger
	now     func() time.Time
	serving atomic.Pointer[tls.Certificate]
	problem atomic.Pointer[error] // of the last look; nil before the first
}

// NewKeeper makes a Keeper; Run starts it.
func NewKeeper(o KeeperOptions) (*Keeper, error) {
	kube, err := newClient(o.Config)
	if err != nil {
		return nil, fmt.Errorf("conversion: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Keeper{kube: kube, key: client.ObjectKey{Namespace: o.Namespace, Name: SecretName}, log: o.Log, now: o.Now}, nil
}

// Run looks after the certificates until the context ends: each 30 seconds 3 requests.
func (k *Keeper) Run(ctx context.Context) {
	for wait := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		err := k.look(ctx)
		wait = lookEvery
		if err != nil && ctx.Err() == nil {
			wait = retryAfter
			if !apierrors.IsConflict(err) { // another replica was quicker
				k.log.Warn("the certificates of the conversion webhook", "error", err)
			}
		}
		k.problem.Store(&err)
	}
}

// Ready is nil when the API server can call this replica, or was not told to.
func (k *Keeper) Ready() error {
	if serving := k.serving.Load(); serving != nil && k.now().Before(serving.Leaf.NotAfter) {
		return nil
	}
	problem := k.problem.Load()
	if problem == nil {
		return errors.New("the certificates were not read yet")
	}
	return *problem
}

// TLS serves the certificate of the moment.
func (k *Keeper) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if serving := k.serving.Load(); serving != nil {
			return serving, nil
		}
		return nil, errors.New("no definition names the conversion webhook, or its certificate was not read yet")
	}}
}

// look brings Secret and definitions one step further. A new authority is in the definitions
// before anything that it signed is served.
// Kubernetes: GET customresourcedefinitions twice, GET secrets; where something is due at most
// 2 UPDATE secrets and 2 PATCH customresourcedefinitions.
func (k *Keeper) look(ctx context.Context) error {
	definitions, err := readDefinitions(ctx, k.kube)
	if err != nil {
		return err
	}
	hosts, err := hostsOf(definitions)
	if err != nil || len(hosts) == 0 {
		return err
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: k.key.Namespace, Name: k.key.Name}}
	if err := k.kube.Get(ctx, k.key, secret); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	c := readCredentials(secret.Data)
	if c.authorityDue(k.now()) {
		if err := c.addAuthority(k.now()); err != nil {
			return err
		}
		if err := k.write(ctx, secret, c); err != nil {
			return err
		}
		k.log.Info("a new authority signs the conversion webhook's certificates", "until", c.authorities[0].NotAfter)
	}
	for _, definition := range definitions {
		if err := k.trust(ctx, definition, c.bundle()); err != nil {
			return err
		}
	}
	if c.servingDue(k.now(), hosts) {
		if err := c.addServing(k.now(), hosts); err != nil {
			return err
		}
		if err := k.write(ctx, secret, c); err != nil {
			return err
		}
		k.log.Info("the conversion webhook has a new certificate", "hosts", hosts, "until", c.serving.Leaf.NotAfter)
	}
	k.serving.Store(c.serving)
	return nil
}

// write keeps credentials in the Secret, if nobody else wrote it meanwhile.
func (k *Keeper) write(ctx context.Context, secret *corev1.Secret, c credentials) (err error) {
	if secret.Data, err = c.data(); err != nil {
		return err
	}
	if secret.ResourceVersion == "" {
		return k.kube.Create(ctx, secret, fieldOwner)
	}
	return k.kube.Update(ctx, secret, fieldOwner)
}

// trust puts the authorities into a definition that names a webhook.
func (k *Keeper) trust(ctx context.Context, definition *apiextensionsv1.CustomResourceDefinition, bundle []byte) error {
	config := clientConfig(definition)
	if config == nil || bytes.Equal(config.CABundle, bundle) {
		return nil
	}
	before := definition.DeepCopy()
	config.CABundle = bundle
	return k.kube.Patch(ctx, definition, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), fieldOwner)
}
