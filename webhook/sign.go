package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Sign is the value of the Drydock-Signature header of a body sent at a time:
// t=<Unix seconds>,v1=<hex of HMAC-SHA256 over "<t>.<body>">, as Stripe's
// (https://docs.stripe.com/webhooks#verify-manually). The time lets a receiver refuse what
// somebody plays again.
func Sign(secret string, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
