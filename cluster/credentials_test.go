package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/cluster"
	"drydock.dev/drydock/cluster/clustertest"
	"drydock.dev/drydock/deploy"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

const hidden = "a password, with \"quotes\" and a\nline"

// good is a registry that takes every login.
func good(context.Context) error { return nil }

func loginInput(registry, username, mutation string) model.SetRegistryCredentialInput {
	in := model.SetRegistryCredentialInput{Registry: registry, Username: username, Password: hidden}
	if mutation != "" {
		in.ClientMutationID = &mutation
	}
	return in
}

func setLogin(ctx context.Context, c *cluster.Client, login, mutation string) error {
	_, err := c.SetRegistryCredential(ctx, model.Owner{Login: login}, loginInput("registry.example.com", "ada", mutation), good)
	return err
}

// registries are those that a client knows logins of.
func registries(t *testing.T, c *cluster.Client, login string) []string {
	t.Helper()
	all, err := c.RegistryCredentials(t.Context(), login)
	must(t, err)
	return names(all, func(one *model.RegistryCredential) string { return one.Registry + " " + one.Username })
}

// secret reads the Secret of a login that the account's namespace tells of.
func (w *world) secret(t *testing.T, login, registry string) *corev1.Secret {
	t.Helper()
	told := w.told(t, login)
	kept, there := told.Find(v1alpha1.SecretRegistry, registry)
	if !there {
		t.Fatalf("no login at %s", registry)
	}
	var secret corev1.Secret
	must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(login), Name: kept.Secret}, &secret))
	return &secret
}

// TestRegistryCredentials sets, replaces and deletes logins, and looks at what is kept.
func TestRegistryCredentials(t *testing.T) {
	w := newWorld(t)
	c, other := w.connectLater(t), w.connect(t, nil)
	login := newLogin()
	for _, registry := range []string{"Registry.Example.com:5000", "index.docker.io"} {
		_, err := c.SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput(registry, "ada", ""), good)
		must(t, err)
	}
	want := []string{"docker.io ada", "registry.example.com:5000 ada"}
	if diff := cmp.Diff(want, registries(t, c, login)); diff != "" {
		t.Errorf("the writer does not read its own writes (-want +got):\n%s", diff)
	}
	eventually(t, "another replica sees them", func() bool { return cmp.Equal(want, registries(t, other, login)) })

	for registry, config := range map[string]string{
		"docker.io":                 `{"auths":{"https://index.docker.io/v1/":{"auth":"YWRhOmEgcGFzc3dvcmQsIHdpdGggInF1b3RlcyIgYW5kIGEKbGluZQ=="}}}`,
		"registry.example.com:5000": `{"auths":{"registry.example.com:5000":{"auth":"YWRhOmEgcGFzc3dvcmQsIHdpdGggInF1b3RlcyIgYW5kIGEKbGluZQ=="}}}`,
	} {
		secret := w.secret(t, login, registry)
		if got := string(secret.Data[corev1.DockerConfigJsonKey]); got != config || secret.Type != corev1.SecretTypeDockerConfigJson {
			t.Errorf("the Secret of %s holds %s %s, want %s", registry, secret.Type, got, config)
		}
		if secret.Labels[v1alpha1.LabelAccount] != login {
			t.Errorf("the Secret of %s has %v", registry, secret.Labels)
		}
	}

	_, err := other.SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput("docker.io", "grace", ""), good)
	must(t, err)
	replaced := []string{"docker.io grace", "registry.example.com:5000 ada"}
	if diff := cmp.Diff(replaced, registries(t, other, login)); diff != "" {
		t.Errorf("a login in place of another (-want +got):\n%s", diff)
	}
	hub := model.Key{Login: login, Name: "docker.io"}
	must(t, c.DeleteRegistryCredential(t.Context(), hub, ""))
	w.swept(t, c, login, 1)
	eventually(t, "another replica sees it go", func() bool {
		return cmp.Equal(replaced[1:], registries(t, other, login))
	})
	wantFault(t, c.DeleteRegistryCredential(t.Context(), hub, ""), fault.NotFound, "registry credential")
	_, err = c.RegistryCredential(t.Context(), hub)
	wantFault(t, err, fault.NotFound)
}

// TestRegistryCredentialRefused: what is not legal or not taken by the registry is not kept.
func TestRegistryCredentialRefused(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	refusal := fault.New(fault.BadUserInput, "The registry refused this login.")
	cases := []struct {
		reason             string
		registry, username string
		password           string
		try                error
		word               string
	}{
		{"a URL", "https://registry.example.com", "ada", "p", nil, "registry"},
		{"a path", "registry.example.com/team", "ada", "p", nil, "registry"},
		{"a word", "registry", "ada", "p", nil, "registry"},
		{"no user", "registry.example.com", "", "p", nil, "username"},
		{"a colon", "registry.example.com", "ada:x", "p", nil, "username"},
		{"no password", "registry.example.com", "ada", "", nil, "password"},
		{"a password that is too long", "registry.example.com", "ada", strings.Repeat("p", 16<<10+1), nil, "password"},
		{"a login that the registry refuses", "registry.example.com", "ada", "p", refusal, "refused"},
	}
	login := newLogin()
	for _, c2 := range cases {
		t.Run(c2.reason, func(t *testing.T) {
			in := model.SetRegistryCredentialInput{Registry: c2.registry, Username: c2.username, Password: c2.password}
			_, err := c.SetRegistryCredential(t.Context(), model.Owner{Login: login}, in, func(context.Context) error { return c2.try })
			wantFault(t, err, fault.BadUserInput, c2.word)
		})
	}
	if got := registries(t, c, login); len(got) > 0 {
		t.Errorf("kept all the same: %v", got)
	}
	var secrets corev1.SecretList
	must(t, w.List(t.Context(), &secrets, client.InNamespace(v1alpha1.Namespace(login))))
	if len(secrets.Items) > 0 {
		t.Errorf("%d Secrets kept all the same", len(secrets.Items))
	}
}

// TestRegistryCredentialOnce: the same mutation again is the same change, which is tried
// and made once, through whichever replica.
func TestRegistryCredentialOnce(t *testing.T) {
	w := newWorld(t)
	c, other := w.connect(t, nil), w.connect(t, nil)
	login := newLogin()
	first, err := c.SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput("registry.example.com", "ada", "set"), good)
	must(t, err)
	again, err := other.SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput("registry.example.com", "ada", "set"), func(context.Context) error {
		return errors.New("tried again")
	})
	must(t, err)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same mutation again (-first +again):\n%s", diff)
	}
	key := model.Key{Login: login, Name: "registry.example.com"}
	must(t, c.DeleteRegistryCredential(t.Context(), key, "delete"))
	_, err = other.SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput("registry.example.com", "ada", "set anew"), good)
	must(t, err)
	must(t, c.DeleteRegistryCredential(t.Context(), key, "delete"))
	if got := registries(t, other, login); len(got) != 1 {
		t.Errorf("a deletion that came again took what was set since: %v", got)
	}
}

// TestRegistryCredentialsAtOnce: replicas that write at the same moment lose nothing, and
// the bound holds.
func TestRegistryCredentialsAtOnce(t *testing.T) {
	const most = 50
	w := newWorld(t)
	replicas := []*cluster.Client{w.connect(t, nil), w.connect(t, nil)}
	login := newLogin()
	must(t, setLogin(t.Context(), replicas[0], login, "first"))
	var group sync.WaitGroup
	for i := range 9 {
		group.Go(func() {
			_, err := replicas[i%2].SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput(fmt.Sprintf("r%d.example.com", i), "ada", ""), good)
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := registries(t, replicas[0], login); len(got) > 10 {
		t.Errorf("%d logins: %v", len(got), got)
	}
	eventually(t, "both replicas know all ten", func() bool {
		return len(registries(t, replicas[0], login)) == 10 && len(registries(t, replicas[1], login)) == 10
	})
	for i := 10; i < most; i++ {
		_, err := replicas[0].SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput(fmt.Sprintf("r%d.example.com", i), "ada", ""), good)
		must(t, err)
	}
	_, err := replicas[1].SetRegistryCredential(t.Context(), model.Owner{Login: login}, loginInput("more.example.com", "ada", ""), good)
	wantFault(t, err, fault.LimitExceeded, "50")
}

// TestRegistryCredentialsNeedNoReading works with the rights of deploy/rbac.yaml alone,
// which let nobody read a Secret.
func TestRegistryCredentialsNeedNoReading(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"namespace.yaml", "rbac.yaml", "admission.yaml"} {
		manifest, err := deploy.Files.ReadFile(name)
		must(t, err)
		must(t, cluster.Apply(t.Context(), w.kubeconfig, manifest))
	}
	gateway := worldOf(t, &clustertest.Cluster{Kubeconfig: actingAs(t, w.kubeconfig, "drydock-gateway")})
	c := gateway.connect(t, nil)
	login := newLogin()
	must(t, setLogin(t.Context(), c, login, "one"))
	must(t, setLogin(t.Context(), c, login, "two"))
	if got := registries(t, c, login); len(got) != 1 {
		t.Errorf("logins: %v", got)
	}
	for _, account := range []string{"drydock-gateway", "drydock-controller"} {
		reader := worldOf(t, &clustertest.Cluster{Kubeconfig: actingAs(t, w.kubeconfig, account)})
		if err := reader.Get(t.Context(), client.ObjectKeyFromObject(w.secret(t, login, "registry.example.com")), &corev1.Secret{}); !apierrors.IsForbidden(err) {
			t.Errorf("%s read the Secret: %v", account, err)
		}
		if err := reader.List(t.Context(), &corev1.SecretList{}); !apierrors.IsForbidden(err) {
			t.Errorf("%s listed Secrets: %v", account, err)
		}
	}
	must(t, c.DeleteRegistryCredential(t.Context(), model.Key{Login: login, Name: "registry.example.com"}, ""))
	w.swept(t, gateway.connectLater(t), login, 0)
	// A policy that was just made holds a moment later.
	for reason, object := range map[string]client.Object{
		"a Secret of the installation's":    &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.SystemNamespace, GenerateName: "a-"}},
		"a Secret of somebody else's":       &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "a-"}},
		"a token of a service account":      &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.Namespace(login), GenerateName: "a-", Annotations: map[string]string{corev1.ServiceAccountNameKey: "default"}}, Type: corev1.SecretTypeServiceAccountToken},
		"a namespace that is of no account": &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a-" + login}},
	} {
		eventually(t, reason+" is refused", func() bool {
			err := gateway.Create(t.Context(), object.DeepCopyObject().(client.Object), client.DryRunAll)
			return err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'drydock-gateway'")
		})
	}
	must(t, setLogin(t.Context(), c, newLogin(), "one")) // a new account's namespace, and its Secret
}

// actingAs writes a kubeconfig of the same cluster for a service account of Drydock's.
func actingAs(t *testing.T, kubeconfig, account string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	must(t, err)
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:" + v1alpha1.SystemNamespace + ":" + account
		user.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + v1alpha1.SystemNamespace, "system:authenticated"}
	}
	file := filepath.Join(t.TempDir(), account)
	must(t, clientcmd.WriteToFile(*config, file))
	return file
}
