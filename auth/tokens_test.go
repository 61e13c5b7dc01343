package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/signing"
)

var ada = model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 1, TokenEpoch: 4}

// issue makes a token of ada's.
func issue(t testing.TB, tokens *auth.Tokens, request auth.TokenRequest) *auth.IssuedToken {
	t.Helper()
	issued, err := tokens.Issue(t.Context(), "ada", request)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func TestTokenRequests(t *testing.T) {
	tokens := auth.NewTokens(parse(t, key(1)), newLedger(ada), time.Now)
	tests := []struct {
		reason, login string
		request       auth.TokenRequest
		kind          fault.Kind
	}{
		{"a plain one", "ada", auth.TokenRequest{Name: "ci", Days: 90}, ""},
		{"the longest name, in characters", "ada", auth.TokenRequest{Name: strings.Repeat("ü", 100), Days: 365}, ""},
		{"a name too long", "ada", auth.TokenRequest{Name: strings.Repeat("x", 101), Days: 1}, fault.BadUserInput},
		{"no name", "ada", auth.TokenRequest{Name: "  ", Days: 1}, fault.BadUserInput},
		{"a name that would break a log line", "ada", auth.TokenRequest{Name: "a\nb", Days: 1}, fault.BadUserInput},
		{"no text", "ada", auth.TokenRequest{Name: "\xff", Days: 1}, fault.BadUserInput},
		{"no day", "ada", auth.TokenRequest{Name: "ci"}, fault.BadUserInput},
		{"over a year", "ada", auth.TokenRequest{Name: "ci", Days: 366}, fault.BadUserInput},
		{"an account that is no more", "bob", auth.TokenRequest{Name: "ci", Days: 1}, fault.Unauthenticated},
	}
	for _, test := range tests {
		_, err := tokens.Issue(t.Context(), test.login, test.request)
		if (err == nil) != (test.kind == "") || err != nil && fault.KindOf(err) != test.kind {
			t.Errorf("%s: %v, want %q", test.reason, err, test.kind)
		}
	}
}

func TestTokenTellsWhoAsks(t *testing.T) {
	clock := &clock{now: time.Unix(1_800_000_000, 0)}
	tokens := auth.NewTokens(parse(t, key(1)), newLedger(ada), clock.Now)
	for _, readOnly := range []bool{false, true} {
		issued := issue(t, tokens, auth.TokenRequest{Name: " deploy script ", Days: 2, ReadOnly: readOnly})
		viewer, err := tokens.Viewer(t.Context(), issued.Text)
		if err != nil {
			t.Fatal(err)
		}
		if viewer.Login != "ada" || viewer.Token.ID != issued.ID || viewer.Token.Name != "deploy script" || viewer.Token.ReadOnly != readOnly {
			t.Errorf("%+v %+v", viewer, viewer.Token)
		}
		if want := clock.Now().AddDate(0, 0, 2); !viewer.Expires.Equal(want) || !issued.Expires.Equal(want) {
			t.Errorf("expires %v, want %v", viewer.Expires, want)
		}
	}
	again := auth.TokenRequest{Name: "ci", Days: 1, Key: "once"}
	if first, second := issue(t, tokens, again), issue(t, tokens, again); first.Text != second.Text {
		t.Errorf("the same request again, in the same second, is another token: %s, %s", first.ID, second.ID)
	}
	if first, second := issue(t, tokens, auth.TokenRequest{Name: "ci", Days: 1}), issue(t, tokens, auth.TokenRequest{Name: "ci", Days: 1}); first.ID == second.ID {
		t.Error("two tokens have one ID")
	}
}

func TestTokensThatDoNotHold(t *testing.T) {
	old, newer := key(1), key(2)
	tests := []struct {
		reason string
		change func(l *ledger, c *clock)
		opens  string
		kind   fault.Kind
	}{
		{"nothing changed", func(*ledger, *clock) {}, old, ""},
		{"a new key in front", func(*ledger, *clock) {}, newer + "," + old, ""},
		{"its key was retired", func(*ledger, *clock) {}, newer, fault.Unauthenticated},
		{"a second before its end", func(_ *ledger, c *clock) { c.move(24*time.Hour - time.Second) }, old, ""},
		{"expired", func(_ *ledger, c *clock) { c.move(24 * time.Hour) }, old, fault.Unauthenticated},
		{"revoked", func(l *ledger, _ *clock) {
			l.held["ada"] = model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 1, TokenEpoch: 5}
		}, old, fault.Unauthenticated},
		{"the epoch was set back by hand: any other ends it", func(l *ledger, _ *clock) {
			l.held["ada"] = model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 1}
			l.true["ada"] = l.held["ada"]
		}, old, fault.Unauthenticated},
		{"this replica has not heard of the epoch yet", func(l *ledger, _ *clock) {
			l.held["ada"] = model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 1, TokenEpoch: 3}
		}, old, ""},
		{"the account is gone", func(l *ledger, _ *clock) { delete(l.held, "ada") }, old, fault.Unauthenticated},
		{"another account has the login", func(l *ledger, _ *clock) {
			l.held["ada"] = model.Account{Login: "ada", CustomerID: "cus_2", TokenEpoch: 4}
			l.true["ada"] = l.held["ada"]
		}, old, fault.Unauthenticated},
		{"this replica has not heard yet of the login's new owner, who made the token", func(l *ledger, _ *clock) {
			l.held["ada"] = model.Account{Login: "ada", CustomerID: "cus_0", TokenEpoch: 9}
		}, old, ""},
		{"another GitHub user has the login", func(l *ledger, _ *clock) {
			l.held["ada"] = model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 2, TokenEpoch: 4}
			l.true["ada"] = l.held["ada"]
		}, old, fault.Unauthenticated},
		{"nobody knows just now", func(l *ledger, _ *clock) { l.down = &fault.Error{Kind: fault.Unavailable} }, old, fault.Unavailable},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			clock, ledger := &clock{now: time.Unix(1_800_000_000, 0)}, newLedger(ada)
			issued := issue(t, auth.NewTokens(parse(t, old), ledger, clock.Now), auth.TokenRequest{Name: "ci", Days: 1})
			ledger.change(func() { test.change(ledger, clock) })
			_, err := auth.NewTokens(parse(t, test.opens), ledger, clock.Now).Viewer(t.Context(), issued.Text)
			if (err == nil) != (test.kind == "") || err != nil && fault.KindOf(err) != test.kind {
				t.Errorf("%v, want %q", err, test.kind)
			}
		})
	}
}

// TestForgedTokens: nobody but a holder of the keys makes a token, by whatever algorithm.
func TestForgedTokens(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString(key(1))
	if err != nil {
		t.Fatal(err)
	}
	tokens := auth.NewTokens(parse(t, key(1)), newLedger(ada), time.Now)
	issued := issue(t, tokens, auth.TokenRequest{Name: "ci", Days: 1, ReadOnly: true})
	real, err := jwt.ParseSigned(issued.Text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := real.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	claims["scope"] = "read write"
	forge := func(signingKey []byte, kind string) string {
		options := (&jose.SignerOptions{}).WithType(jose.ContentType(kind)).WithHeader("kid", real.Headers[0].KeyID)
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: signingKey}, options)
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	parts := strings.Split(issued.Text, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"` + real.Headers[0].KeyID + `","typ":"drydock-token+jwt"}`))
	cookie := signedIn(t, parse(t, key(1)), time.Now, false)
	for reason, text := range map[string]string{
		"another key":                        forge([]byte(strings.Repeat("x", 32)), "drydock-token+jwt"),
		"the sealing key itself":             forge(secret, "drydock-token+jwt"),
		"no algorithm":                       none + "." + parts[1] + ".",
		"no signature":                       parts[0] + "." + parts[1] + ".",
		"a session's cookie":                 cookie.Value,
		"nothing":                            "",
		"more than anybody should decode":    strings.Repeat("x", 1<<20),
		"another body under the signature":   parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"root","scope":"read write"}`)) + "." + parts[2],
		"the signature of half of the token": issued.Text[:len(issued.Text)-4],
	} {
		if viewer, err := tokens.Viewer(t.Context(), text); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %v %v", reason, viewer, err)
		}
	}
}

// TestFollow: whoever is in is out when the token or the account ends, and not before.
func TestFollow(t *testing.T) {
	tests := []struct {
		reason string
		change func(l *ledger)
		words  string
	}{
		{"the tokens are revoked", func(l *ledger) {
			l.held["ada"] = model.Account{Login: "ada", CustomerID: "cus_1", GithubID: 1, TokenEpoch: 5}
		}, "revoked"},
		{"the account is deleted", func(l *ledger) { delete(l.held, "ada") }, "no more"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			ledger := newLedger(ada)
			tokens := auth.NewTokens(parse(t, key(1)), ledger, time.Now)
			viewer, err := tokens.Viewer(t.Context(), issue(t, tokens, auth.TokenRequest{Name: "ci", Days: 1}).Text)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- tokens.Follow(t.Context(), viewer) }()
			ledger.change(func() { ledger.down = &fault.Error{Kind: fault.Unavailable} }) // an outage ends nothing
			ledger.change(func() { ledger.down = nil })
			ledger.change(func() {})
			select {
			case err := <-ended:
				t.Fatalf("ended before anything was: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			ledger.change(func() { test.change(ledger) })
			select {
			case err := <-ended:
				if fault.KindOf(err) != fault.Unauthenticated || !strings.Contains(fault.PublicOf(err), test.words) {
					t.Errorf("%v, want words about %q", err, test.words)
				}
			case <-time.After(time.Minute):
				t.Fatal("it goes on")
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := auth.NewTokens(parse(t, key(1)), newLedger(ada), time.Now).Follow(ctx, auth.Viewer{Login: "ada"}); err != nil {
		t.Errorf("the context's end: %v", err)
	}
}

func TestRevokeTellsAnUnknownAccount(t *testing.T) {
	ledger := newLedger(ada)
	tokens := auth.NewTokens(parse(t, key(1)), ledger, time.Now)
	if err := tokens.Revoke(t.Context(), "ada", ""); err != nil {
		t.Error(err)
	}
	want := map[string]model.Account{"ada": {Login: "ada", CustomerID: "cus_1", GithubID: 1, TokenEpoch: 5}}
	if diff := cmp.Diff(want, ledger.true); diff != "" {
		t.Error(diff)
	}
	if err := tokens.Revoke(t.Context(), "bob", ""); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("an unknown account: %v", err)
	}
	ledger.down = errors.New("down")
	if err := tokens.Revoke(t.Context(), "ada", ""); !errors.Is(err, ledger.down) {
		t.Errorf("an outage: %v", err)
	}
}

func FuzzToken(f *testing.F) {
	keys, err := auth.ParseKeys(signing.Generate()) // each worker has its own: no seed opens but this one's
	if err != nil {
		f.Fatal(err)
	}
	tokens := auth.NewTokens(keys, newLedger(ada), time.Now)
	issued := issue(f, tokens, auth.TokenRequest{Name: "ci", Days: 1})
	f.Add(issued.Text)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.AAAA")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		viewer, err := tokens.Viewer(t.Context(), text)
		switch {
		case err == nil && !sameBits(text, issued.Text):
			t.Errorf("%q lets in %+v", text, viewer)
		case err != nil && text == issued.Text:
			t.Errorf("the token itself does not: %v", err)
		case err != nil && fault.KindOf(err) != fault.Unauthenticated:
			t.Errorf("%q: %v", text, err)
		}
	})
}
