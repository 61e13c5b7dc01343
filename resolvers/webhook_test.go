package resolvers_test

import (
	"slices"
	"strings"
	"testing"

	"drydock.dev/drydock/fault"
)

// TestWebhooks sets a webhook, has its secret shown once, rotates and deletes it.
func TestWebhooks(t *testing.T) {
	h := newHouse(t)
	ada := h.signUp("ada")
	image := h.newImage(ada, "app")
	type shown struct {
		SetWebhook struct {
			Secret string
			Image  struct{ Webhook struct{ URL string } }
		}
	}
	set := func(url, mutation string) shown {
		t.Helper()
		var data shown
		h.as(ada).must(setWebhook, variables{"input": map[string]any{"image": image, "url": url, "clientMutationID": mutation}}, &data)
		return data
	}
	const token = "abc-token"
	first := set("http://127.0.0.1:9/hook?"+token, "a")
	if len(first.SetWebhook.Secret) != 64 || first.SetWebhook.Image.Webhook.URL != "http://127.0.0.1:9/hook?"+token {
		t.Errorf("set %+v", first)
	}
	if again := set("http://127.0.0.1:9/hook?"+token, "a"); again != first {
		t.Errorf("the same mutation again gives %+v, want %+v", again, first)
	}
	if rotated := set("http://127.0.0.1:9/hook", "b"); rotated.SetWebhook.Secret == first.SetWebhook.Secret {
		t.Error("set again, it has the same secret")
	}
	if text := h.audit.String(); !strings.Contains(text, "setWebhook") || strings.Contains(text, token) || strings.Contains(text, first.SetWebhook.Secret) {
		t.Errorf("the log says %s", text)
	}
	cases := []struct {
		reason, url string
		code        fault.Kind
	}{
		{"a private address", "https://10.0.0.1/hook", fault.BadUserInput},
		{"no web address", "mailto:ada@example.com", fault.BadUserInput},
		{"a password in it", "https://ada:secret@192.0.2.1/hook", fault.BadUserInput},
	}
	for _, c := range cases {
		got := h.as(ada).ask(setWebhook, variables{"input": map[string]any{"image": image, "url": c.url}})
		if !slices.Equal(got.Codes, []string{string(c.code)}) {
			t.Errorf("%s: %+v, want %s", c.reason, got, c.code)
		}
	}
	h.as(ada).must(deleteWebhook, variables{"input": map[string]any{"image": image, "clientMutationID": "b"}}, nil) // the id that set it
	h.as(ada).must(deleteWebhook, variables{"input": map[string]any{"image": image, "clientMutationID": "b"}}, nil)
	if got := h.as(ada).ask(deleteWebhook, variables{"input": map[string]any{"image": image}}); !slices.Equal(got.Codes, []string{string(fault.NotFound)}) {
		t.Errorf("deleted once more: %+v, want NOT_FOUND", got)
	}
}

// newImage gives a login an image, and the image's id.
func (h *house) newImage(login, name string) string {
	h.t.Helper()
	var made struct {
		CreateImage struct{ Image struct{ ID string } }
	}
	h.as(login).must(createImage, variables{"input": imageInput(name)}, &made)
	return made.CreateImage.Image.ID
}
