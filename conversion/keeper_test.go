package conversion_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/api/v1beta1"
	"drydock.dev/drydock/conversion"
)

const day = 24 * time.Hour

// TestCertificates: whatever the Secret and the definitions are like, after a replica looked
// the API server trusts what it serves. A new authority ends no trust in what is served.
func TestCertificates(t *testing.T) {
	w := newWorld(t)
	image := sample("Image", "v1alpha1", w.namespace(), "app")
	w.must(w.Create(t.Context(), image))
	for _, c := range []struct {
		reason             string
		before             func()
		leaf, trusted, all bool // whether another certificate is served, the former one still trusted; all authorities are others
	}{
		{"the same again", func() {}, false, true, false},
		{"somebody applied the definitions anew", w.install, false, true, false},
		{"somebody emptied the Secret", func() { w.secret(nil) }, true, false, true},
		{"somebody spoilt the Secret", func() { w.secret(map[string][]byte{"ca.crt": []byte("hello"), "tls.key": []byte("you")}) }, true, false, true},
		{"a month of the certificate is left", func() { w.anew(-61 * day) }, true, true, false},
		{"two months of the certificate are left", func() { w.anew(-30 * day) }, false, true, false},
		{"half of the authority's life is over, and the certificate's too", func() { w.anew(-6 * 365 * day) }, true, false, false},
	} {
		t.Run(c.reason, func(t *testing.T) {
			w.t = t
			c.before()
			was, trust := w.keeper.Load(), w.trusted()
			before := certificate(t, was)
			now := w.look(time.Now)
			w.keeper.Store(now)
			after := certificate(t, now)
			if other := !after.Equal(before); other != c.leaf {
				t.Errorf("another certificate: %v, want %v", other, c.leaf)
			}
			if _, err := before.Verify(w.verify()); (err == nil) != c.trusted {
				t.Errorf("the certificate of before: %v, want it trusted: %v", err, c.trusted)
			}
			if kept := bytes.Contains(w.trusted(), trust); kept == c.all {
				t.Errorf("the authorities of before are kept: %v", kept)
			}
			if _, err := after.Verify(w.verify()); err != nil {
				t.Errorf("the definitions' authorities do not vouch for the certificate: %v", err)
			}
			w.eventually("the API server, once it has heard of the authorities, asks for a conversion", func() bool {
				calls := w.calls.Load()
				return w.Get(t.Context(), client.ObjectKeyFromObject(image), &v1beta1.Image{}) == nil && w.calls.Load() > calls
			})
		})
	}
}

// TestReplicas: many that begin at once agree on one certificate.
func TestReplicas(t *testing.T) {
	w := newWorld(t)
	w.secret(nil)
	replicas := make([]*conversion.Keeper, 4)
	var group sync.WaitGroup
	for i := range replicas {
		group.Go(func() { replicas[i] = w.look(time.Now) })
	}
	group.Wait()
	for _, replica := range replicas[1:] {
		if !certificate(t, replica).Equal(certificate(t, replicas[0])) {
			t.Error("replicas serve different certificates")
		}
	}
	if _, err := certificate(t, replicas[0]).Verify(w.verify()); err != nil {
		t.Errorf("the API server does not trust it: %v", err)
	}
	if err := w.replica(time.Now).Ready(); err == nil {
		t.Error("a replica is ready that has not looked yet")
	}
}

// look starts a replica with a clock, and ends it once it has a certificate.
func (w *world) look(now func() time.Time) *conversion.Keeper {
	w.t.Helper()
	keeper := w.replica(now)
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); keeper.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	w.eventually("a replica has a certificate", func() bool {
		_, err := keeper.TLS().GetCertificate(nil)
		return err == nil
	})
	return keeper
}

// anew is as if the installation had been made then.
func (w *world) anew(then time.Duration) {
	w.t.Helper()
	w.secret(nil)
	w.keeper.Store(w.look(func() time.Time { return time.Now().Add(then) }))
}

// secret overwrites what the Secret holds.
func (w *world) secret(data map[string][]byte) {
	w.t.Helper()
	w.eventually("the Secret is written", func() bool {
		secret := &corev1.Secret{}
		w.must(w.Get(w.t.Context(), client.ObjectKey{Namespace: v1alpha1.SystemNamespace, Name: conversion.SecretName}, secret))
		secret.Data = data
		return w.Update(w.t.Context(), secret) == nil // a replica may have been quicker
	})
}

// trusted are the authorities in the definitions.
func (w *world) trusted() []byte {
	w.t.Helper()
	builds := w.definition(definitions[0]).Spec.Conversion.Webhook.ClientConfig.CABundle
	images := w.definition(definitions[1]).Spec.Conversion.Webhook.ClientConfig.CABundle
	if !slices.Equal(builds, images) {
		w.t.Error("the definitions trust different authorities")
	}
	return builds
}

// verify is how the API server judges a certificate.
func (w *world) verify() x509.VerifyOptions {
	w.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.trusted())
	return x509.VerifyOptions{Roots: roots, DNSName: "127.0.0.1"}
}

// certificate is what a replica serves.
func certificate(t *testing.T, keeper *conversion.Keeper) *x509.Certificate {
	t.Helper()
	serving, err := keeper.TLS().GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return serving.Leaf
}
