package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/signing"
)

// prove gives the image whose secret signed a delivery. An image that is not there, one
// whose push is off, and a signature that does not fit are one failure, after the same work.
func (r *Receiver) prove(ctx context.Context, d Delivery) (*model.Image, error) {
	if !r.Keys.Known() {
		return nil, fault.New(fault.NotFound, "No webhooks of GitHub's are taken here: the operator of this installation has to set --signing-keys.")
	}
	identity := ""
	image, err := r.image(ctx, d.Image)
	if err == nil {
		identity = image.PushIdentity()
	} else if fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	signed := false
	for _, secret := range r.Keys.Secrets(signing.GitHubPush, identity) {
		signed = fits(d.Signature, secret, d.Body) || signed
	}
	if !signed || identity == "" {
		return nil, fault.New(fault.Unauthenticated, "The signature does not fit this address: check the webhook's address and secret, or make a new secret (rotatePushSecret).")
	}
	return image, nil
}

func (r *Receiver) image(ctx context.Context, id string) (*model.Image, error) {
	key, ok := model.DecodeKey(model.KindImage, id)
	if !ok {
		return nil, &fault.Error{Kind: fault.NotFound}
	}
	return r.Images.Image(ctx, key)
}

// fits tells whether a signature is the secret's of a body, in constant time
// (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
func fits(signature, secret string, body []byte) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	text, _ := strings.CutPrefix(signature, "sha256=")
	told, err := hex.DecodeString(text)
	return err == nil && hmac.Equal(told, mac.Sum(nil))
}
