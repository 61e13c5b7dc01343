package cluster_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
)

// newKey is a private key in PEM, locked by a passphrase where there is one.
func newKey(t *testing.T, passphrase string) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	must(t, err)
	return string(pem.EncodeToMemory(block))
}

// TestGitCredential sets a token, a key in its place, and deletes it.
func TestGitCredential(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	image := create(t, c, newLogin(), "app")
	secret := func() (map[string]string, error) {
		told := w.told(t, image.Key.Login, "app")
		kept, there := told.Find(v1alpha1.SecretGit, "")
		if !there {
			return nil, errors.New("the image tells of none")
		}
		var secret corev1.Secret
		err := w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(image.Key.Login), Name: kept.Secret}, &secret)
		if len(secret.OwnerReferences) != 1 || string(secret.OwnerReferences[0].UID) != image.UID {
			t.Errorf("the Secret is owned by %v", secret.OwnerReferences)
		}
		data := map[string]string{}
		for key, value := range secret.Data {
			data[key] = string(value)
		}
		return data, err
	}
	hold := func(what string, got *model.Image, kind model.GitCredentialKind, want map[string]string) {
		t.Helper()
		data, err := secret()
		must(t, err)
		if diff := cmp.Diff(want, data); diff != "" {
			t.Errorf("%s: the Secret (-want +got):\n%s", what, diff)
		}
		seen, err := c.Image(t.Context(), image.Key)
		must(t, err)
		if got.GitCredential == nil || got.GitCredential.Kind != kind || got.GitCredential.Host != "git.example.com" || !cmp.Equal(got, seen) {
			t.Errorf("%s: %+v, then read %+v", what, got.GitCredential, seen.GitCredential)
		}
	}
	token, id := hidden[:10], "set"
	in := model.SetGitCredentialInput{Username: "ada", Token: &token, ClientMutationID: &id}
	set, err := c.SetGitCredential(t.Context(), image.Key, in)
	must(t, err)
	hold("a token", set, model.GitCredentialKindToken, map[string]string{"origin": "https://git.example.com", "username": "ada", "token": token})

	again, err := c.SetGitCredential(t.Context(), image.Key, in)
	must(t, err)
	if diff := cmp.Diff(set, again); diff != "" {
		t.Errorf("the same mutation again (-first +again):\n%s", diff)
	}

	moved := input("app")
	moved.Source.Repository = "git@git.example.com:team/app.git"
	_, err = c.UpdateImage(t.Context(), image.Key, model.UpdateImageInput{Source: graphql.OmittableOf(moved.Source)})
	must(t, err)
	key := newKey(t, "")
	set, err = c.SetGitCredential(t.Context(), image.Key, model.SetGitCredentialInput{Username: "git", SSHKey: &key})
	must(t, err)
	hold("a key in its place", set, model.GitCredentialKindSSHKey, map[string]string{"origin": "ssh://git.example.com", "ssh-privatekey": key})

	gone, err := c.DeleteGitCredential(t.Context(), image.Key, "delete")
	must(t, err)
	if _, err := secret(); err == nil || gone.GitCredential != nil {
		t.Errorf("after the deletion: %v, %+v", err, gone.GitCredential)
	}
	w.swept(t, w.connectLater(t), image.Key.Login, 0)
	_, err = c.DeleteGitCredential(t.Context(), image.Key, "delete")
	must(t, err)
	_, err = c.DeleteGitCredential(t.Context(), image.Key, "")
	wantFault(t, err, fault.NotFound, "no git credential")
}

// TestGitCredentialRefused: what does not fit the repository, or is no secret of the kind.
func TestGitCredentialRefused(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login := newLogin()
	token, line, locked, key, nothing := "token", "to\nken", newKey(t, "passphrase"), newKey(t, ""), "nothing"
	for _, one := range []struct {
		reason, repository string
		in                 model.SetGitCredentialInput
		words              string
	}{
		{"neither", "https://git.example.com/a.git", model.SetGitCredentialInput{Username: "git"}, "one of the two"},
		{"both", "https://git.example.com/a.git", model.SetGitCredentialInput{Username: "git", Token: &token, SSHKey: &key}, "one of the two"},
		{"two lines", "https://git.example.com/a.git", model.SetGitCredentialInput{Username: "git", Token: &line}, "one line"},
		{"a token over plain HTTP", "http://git.example.com/a.git", model.SetGitCredentialInput{Username: "git", Token: &token}, "https://"},
		{"a token for SSH", "git@git.example.com:a.git", model.SetGitCredentialInput{Username: "git", Token: &token}, "sshKey"},
		{"a key for HTTPS", "https://git.example.com/a.git", model.SetGitCredentialInput{Username: "git", SSHKey: &key}, "token"},
		{"a key with a passphrase", "ssh://git@git.example.com/a.git", model.SetGitCredentialInput{Username: "git", SSHKey: &locked}, "passphrase"},
		{"a key that is none", "ssh://git@git.example.com/a.git", model.SetGitCredentialInput{Username: "git", SSHKey: &nothing}, "PEM"},
	} {
		t.Run(one.reason, func(t *testing.T) {
			in := input("i" + newLogin())
			in.Source.Repository = one.repository
			image, err := c.CreateImage(t.Context(), model.Owner{Login: login}, in, 100)
			must(t, err)
			_, err = c.SetGitCredential(t.Context(), image.Key, one.in)
			wantFault(t, err, fault.BadUserInput, one.words)
		})
	}
	_, err := c.SetGitCredential(t.Context(), model.Key{Login: login, Name: "none"}, model.SetGitCredentialInput{Username: "git", Token: &token})
	wantFault(t, err, fault.NotFound)
}
