package push_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/push"
	"drydock.dev/drydock/signing"
)

// one is a house with one image, whose builds are counted.
type one struct {
	image   *model.Image
	started int
}

func (o *one) Image(_ context.Context, key model.Key) (*model.Image, error) {
	if key != o.image.Key {
		return nil, &fault.Error{Kind: fault.NotFound}
	}
	return o.image, nil
}
func (o *one) Owned(model.Owner) error { return nil }
func (o *one) Builds(context.Context, model.BuildQuery) (model.Slice[*model.Build], error) {
	return model.Slice[*model.Build]{}, nil
}
func (o *one) StartBuild(_ context.Context, start model.BuildStart) (*model.Build, error) {
	o.started++
	return &model.Build{Key: start.Image, Number: 1}, nil
}
func (o *one) Account(context.Context, string) (*model.Account, error) { return &model.Account{}, nil }
func (o *one) PlanNow(context.Context, *model.Account) (*model.Plan, error) {
	return &model.Plan{Limits: &model.PlanLimits{}}, nil
}

func (o *one) receiver(keys *signing.Keys) *push.Receiver {
	return push.New(push.Options{Images: o, Builds: o, Accounts: o, Keys: keys, Log: slog.New(slog.DiscardHandler)})
}

func newOne() *one {
	return &one{image: &model.Image{Key: model.Key{Login: "ada", Name: "app"}, UID: "uid", Source: &model.GitSource{Repository: "https://h/p", Ref: "main"},
		Triggers: &model.ImageTriggers{Push: true, PushNonce: "nonce"}}}
}

func keys(t testing.TB, bytes ...string) *signing.Keys {
	t.Helper()
	for i, b := range bytes {
		bytes[i] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(b, signing.KeyBytes)))
	}
	parsed, err := signing.Parse(strings.Join(bytes, ","))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

var pushed = []byte(`{"ref":"refs/heads/main","after":"1111111111111111111111111111111111111111","repository":{"clone_url":"https://h/p"}}`)

// TestProof holds who may start builds: whoever knows the secret of that very image.
func TestProof(t *testing.T) {
	secret := func(key, identity string) string { return keys(t, key).Secret(signing.GitHubPush, identity) }
	for _, test := range []struct {
		reason    string
		image     string
		signature string
		change    func(*one)
		taken     bool
	}{
		{"the secret", "app", sign(secret("a", "uid/nonce"), pushed), nil, true},
		{"the secret of the key before", "app", sign(secret("b", "uid/nonce"), pushed), nil, true},
		{"a key that was dropped", "app", sign(secret("c", "uid/nonce"), pushed), nil, false},
		{"the secret before it was rotated", "app", sign(secret("a", "uid/before"), pushed), nil, false},
		{"another image's secret", "app", sign(secret("a", "other/nonce"), pushed), nil, false},
		{"a secret for another purpose", "app", sign(keys(t, "a").Secret(signing.OutgoingWebhook, "uid/nonce"), pushed), nil, false},
		{"another body's signature", "app", sign(secret("a", "uid/nonce"), []byte("{}")), nil, false},
		{"none", "app", "", nil, false},
		{"an empty one", "app", "sha256=", nil, false},
		{"SHA-1's", "app", "sha1=" + strings.Repeat("00", 20), nil, false},
		{"an image that is not there, by the secret of none", "none", sign(secret("a", ""), pushed), nil, false},
		{"push is off, by the secret of none", "app", sign(secret("a", ""), pushed), func(o *one) { o.image.Triggers.Push = false }, false},
		{"push was turned on with kubectl: there is no secret", "app", sign(secret("a", "uid/"), pushed), func(o *one) { o.image.Triggers.PushNonce = "" }, false},
	} {
		house := newOne()
		if test.change != nil {
			test.change(house)
		}
		answer, err := house.receiver(keys(t, "a", "b")).Take(t.Context(), push.Delivery{
			Image: model.EncodeID(model.KindImage, "ada", test.image), Event: "push", ID: "d", Signature: test.signature, ContentType: "application/json", Body: pushed,
		})
		if test.taken && (err != nil || !answer.Started || house.started != 1) || !test.taken && (fault.KindOf(err) != fault.Unauthenticated || house.started != 0) {
			t.Errorf("%s: %+v, %v, %d builds", test.reason, answer, err, house.started)
		}
	}
	if _, err := newOne().receiver(nil).Take(t.Context(), push.Delivery{Image: "x"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("without keys: %v", err)
	}
}

// FuzzTake holds that nothing starts a build without the secret, and nothing panics.
func FuzzTake(f *testing.F) {
	id := model.EncodeID(model.KindImage, "ada", "app")
	f.Add(id, "push", "d", "sha256=00", "application/json", pushed, false)
	f.Add(id, "push", "d", "", "application/x-www-form-urlencoded", []byte("payload="+string(pushed)), true)
	f.Add("", "ping", "", "", "", []byte("{}"), true)
	known := keys(f, "a")
	f.Fuzz(func(t *testing.T, image, event, delivery, signature, media string, body []byte, signed bool) {
		house := newOne()
		if signed {
			signature = sign(known.Secret(signing.GitHubPush, house.image.PushIdentity()), body)
		}
		answer, err := house.receiver(known).Take(t.Context(), push.Delivery{Image: image, Event: event, ID: delivery, Signature: signature, ContentType: media, Body: body})
		if started := house.started > 0; started && !signed || started != (err == nil && answer.Started) {
			t.Errorf("signed %t, started %d, %+v, %v", signed, house.started, answer, err)
		}
	})
}
