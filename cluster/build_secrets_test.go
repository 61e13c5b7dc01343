package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

func buildSecrets(image *model.Image) []string {
	return names(image.BuildSecrets, func(one *model.BuildSecret) string { return one.Key })
}

// TestBuildSecrets sets, replaces and deletes secrets, and looks at what is kept.
func TestBuildSecrets(t *testing.T) {
	w := newWorld(t)
	c, later := w.connect(t, nil), w.connectLater(t)
	image := create(t, c, newLogin(), "app")
	value := func(key string) string {
		t.Helper()
		told := w.told(t, image.Key.Login, "app")
		kept, there := told.Find(v1alpha1.SecretBuild, key)
		if !there {
			t.Fatalf("the image does not tell of %s: %v", key, told)
		}
		var secret corev1.Secret
		must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(image.Key.Login), Name: kept.Secret}, &secret))
		if len(secret.OwnerReferences) != 1 || string(secret.OwnerReferences[0].UID) != image.UID {
			t.Errorf("the Secret is owned by %v", secret.OwnerReferences)
		}
		return string(secret.Data[v1alpha1.BuildSecretKey])
	}
	set := func(key, value, mutation string) *model.Image {
		t.Helper()
		changed, err := c.SetBuildSecret(t.Context(), image.Key, model.SetBuildSecretInput{Key: key, Value: value, ClientMutationID: &mutation})
		must(t, err)
		return changed
	}
	set("npm", "one", "")
	if got := buildSecrets(set("_pip.conf", hidden, "pip")); !cmp.Equal(got, []string{"_pip.conf", "npm"}) {
		t.Errorf("keys %v", got)
	}
	set("npm", "two", "two")
	set("npm", "three", "")
	set("npm", "two", "two") // again
	if npm, pip := value("npm"), value("_pip.conf"); npm != "three" || pip != hidden {
		t.Errorf("npm holds %q, pip %q", npm, pip)
	}
	w.swept(t, later, image.Key.Login, 2)
	changed, err := c.DeleteBuildSecret(t.Context(), image.Key, "npm", "gone")
	must(t, err)
	if got := buildSecrets(changed); !cmp.Equal(got, []string{"_pip.conf"}) {
		t.Errorf("keys after the deletion %v", got)
	}
	_, err = c.DeleteBuildSecret(t.Context(), image.Key, "npm", "gone")
	must(t, err)
	_, err = c.DeleteBuildSecret(t.Context(), image.Key, "npm", "")
	wantFault(t, err, fault.NotFound, "no build secret")
	w.swept(t, later, image.Key.Login, 1)
}

// TestBuildSecretsRefused: what is not legal, and what is too much.
func TestBuildSecretsRefused(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	image := create(t, c, newLogin(), "app")
	for _, one := range []struct{ reason, key, value, word string }{
		{"no key", "", "v", "key"},
		{"another folder", "../x", "v", "key"},
		{"a list", "a,src=/etc/passwd", "v", "key"},
		{"hidden", ".x", "v", "key"},
		{"a long key", strings.Repeat("k", 64), "v", "key"},
		{"no value", "npm", "", "value"},
		{"a long value", "npm", strings.Repeat("v", 64<<10+1), "value"},
		{"no text", "npm", "a\x00b", "value"},
	} {
		_, err := c.SetBuildSecret(t.Context(), image.Key, model.SetBuildSecretInput{Key: one.key, Value: one.value})
		if wantFault(t, err, fault.BadUserInput, one.word); one.value != "" && len(one.value) > 1 && strings.Contains(err.Error(), one.value) {
			t.Errorf("%s: the error tells the value", one.reason)
		}
	}
	_, err := c.SetBuildSecret(t.Context(), model.Key{Login: image.Key.Login, Name: "none"}, model.SetBuildSecretInput{Key: "npm", Value: "v"})
	wantFault(t, err, fault.NotFound)

	var full v1alpha1.Image
	must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(image.Key.Login), Name: "app"}, &full))
	told := v1alpha1.SecretsOf(&full)
	for i := range 50 {
		told.Kept = append(told.Kept, v1alpha1.KeptSecret{Use: v1alpha1.SecretBuild, Name: fmt.Sprintf("k%02d", i), Secret: fmt.Sprintf("s%d", i)})
	}
	must(t, told.Annotate(&full))
	must(t, w.Update(t.Context(), &full))
	_, err = c.SetBuildSecret(t.Context(), image.Key, model.SetBuildSecretInput{Key: "more", Value: "v"})
	wantFault(t, err, fault.LimitExceeded, "50")
	_, err = c.SetBuildSecret(t.Context(), image.Key, model.SetBuildSecretInput{Key: "k07", Value: "v"})
	must(t, err)
}
