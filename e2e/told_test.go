package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
)

// Every secret that a test gives away holds this word, which tests of no other package use: they may run at the same time. When all tests are through, it is looked for, and so are the
// installation's own secrets, in all that was printed, in every object but Secrets, and in every file but etcd's; the
// process list is looked at all the time.
const secretWord = "swordfish"

// told is where secrets were found.
type told struct {
	forms  [][]byte
	mu     sync.Mutex
	places []string
}

func newTold(secrets ...string) *told {
	found := &told{forms: forms(secretWord)}
	for _, secret := range secrets {
		found.forms = append(found.forms, []byte(secret))
	}
	return found
}

// forms are a word, and what of it is in the base64 of any text that holds it.
func forms(word string) [][]byte {
	all := [][]byte{[]byte(word)}
	for before := range 3 {
		sent := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + word))
		from, to := (before*8+5)/6, (before+len(word))*8/6
		all = append(all, []byte(sent[from:to]))
	}
	return all
}

func (f *told) look(where string, text []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, form := range f.forms {
		place := fmt.Sprintf("%s tells secret %d", where, i)
		if bytes.Contains(text, form) && !slices.Contains(f.places, place) {
			f.places = append(f.places, place)
		}
	}
}

// watchProcesses looks at the process list until the context ends.
func (f *told) watchProcesses(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is legal
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil { // processes end
				f.look(fmt.Sprintf("the process list (%.60q)", text), text)
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// check looks into all that is left of the run.
func (f *told) check(ctx context.Context, files ...string) error {
	if err := f.lookAtObjects(ctx); err != nil {
		return err
	}
	for _, file := range files {
		if err := f.lookAtFiles(file); err != nil {
			return err
		}
	}
	if len(f.places) > 0 {
		return errors.New("secrets were told:\n" + strings.Join(f.places, "\n"))
	}
	return nil
}

// lookAtObjects reads every object of every kind that can be listed, but Secrets.
func (f *told) lookAtObjects(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", house.Kubeconfig)
	if err != nil {
		return err
	}
	names, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	kinds, err := names.ServerPreferredResources()
	if err != nil {
		return err
	}
	reader, err := kube.New(config, kube.Options{})
	if err != nil {
		return err
	}
	seen := 0
	for _, group := range kinds {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return err
		}
		for _, kind := range group.APIResources {
			if !slices.Contains(kind.Verbs, "list") || kind.Name == "secrets" || kind.Name == "componentstatuses" {
				continue
			}
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(version.WithKind(kind.Kind + "List"))
			if err := reader.List(ctx, list); err != nil {
				return fmt.Errorf("list %s: %w", kind.Name, err)
			}
			for i := range list.Items {
				text, err := list.Items[i].MarshalJSON()
				if err != nil {
					return err
				}
				seen++
				f.look(fmt.Sprintf("%s %s/%s", kind.Kind, list.Items[i].GetNamespace(), list.Items[i].GetName()), text)
			}
		}
	}
	if seen == 0 {
		return errors.New("no object was looked at")
	}
	return nil
}

// lookAtFiles reads a file, or a folder's without etcd's, where Secrets are kept.
func (f *told) lookAtFiles(root string) error {
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "etcd":
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) { // pods still end
			return nil
		}
		f.look(file, text)
		return err
	})
}

// TestTold: a secret is found in each form in which it may be told.
func TestTold(t *testing.T) {
	for _, before := range []string{"", "a", "ab", "ada:"} {
		sent := base64.StdEncoding.EncodeToString([]byte(before + secretWord + "-of-ada"))
		for _, text := range []string{before + secretWord, "Authorization: Basic " + sent} {
			f := newTold()
			if f.look("a line", []byte(text)); len(f.places) != 1 {
				t.Errorf("%q: found %d times, want once", text, len(f.places))
			}
		}
	}
	f := newTold("another")
	if f.look("a line", []byte("neither the fish nor the sword")); len(f.places) != 0 {
		t.Errorf("found where it is not: %v", f.places)
	}
}
