package auth_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"drydock.dev/drydock/auth"
	"drydock.dev/drydock/signing"
)

// signedIn is the session cookie of ada's, sealed by keys.
func signedIn(t testing.TB, keys *auth.Keys, now func() time.Time, secure bool) *http.Cookie {
	t.Helper()
	signIn := &auth.SignIn{Sessions: auth.NewSessions(keys, time.Hour, secure, now), Accounts: &people{}, Log: quiet()}
	request := httptest.NewRequest(http.MethodPost, "/auth/dev", strings.NewReader(`{"login":"ada"}`))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	signIn.Dev(answer, request)
	cookies := answer.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("sign-in gave %d cookies: %s", len(cookies), answer.Body)
	}
	return cookies[0]
}

// ask presents a cookie to sessions; renewed is the cookie that comes back, if any.
func ask(sessions *auth.Sessions, cookie *http.Cookie) (login string, renewed *http.Cookie) {
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.AddCookie(cookie)
	answer := httptest.NewRecorder()
	sessions.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		viewer, _ := auth.ViewerFrom(r.Context())
		login = viewer.Login
	})).ServeHTTP(answer, request)
	if cookies := answer.Result().Cookies(); len(cookies) > 0 {
		renewed = cookies[0]
	}
	return login, renewed
}

func TestCookieAttributes(t *testing.T) {
	now := time.Now
	for _, secure := range []bool{false, true} {
		c := signedIn(t, parse(t, key(1)), now, secure)
		name := "drydock_session"
		if secure {
			name = "__Host-drydock_session"
		}
		if c.Name != name || !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 3600 {
			t.Errorf("https %t: %+v", secure, c)
		}
		if strings.Contains(c.Value, "ada") {
			t.Errorf("the login is readable: %s", c.Value)
		}
	}
}

func TestRotation(t *testing.T) {
	old, newer, other := key(1), key(2), key(3)
	tests := []struct {
		reason, sealed, opens string
		login                 string
	}{
		{"the same key", old, old, "ada"},
		{"a new key in front: old sessions hold", old, newer + "," + old, "ada"},
		{"the new key seals, the rest of the fleet knows it", newer + "," + old, old + "\n" + newer, "ada"},
		{"the old key is gone: its sessions end", old, newer, ""},
		{"a stranger's key", other, newer + "," + old, ""},
	}
	for _, test := range tests {
		cookie := signedIn(t, parse(t, test.sealed), time.Now, false)
		if login, _ := ask(auth.NewSessions(parse(t, test.opens), time.Hour, false, time.Now), cookie); login != test.login {
			t.Errorf("%s: signed in as %q", test.reason, login)
		}
	}
}

func TestExpiryAndRenewal(t *testing.T) {
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	keys := parse(t, key(1))
	sessions := auth.NewSessions(keys, time.Hour, false, c.Now)
	cookie := signedIn(t, keys, c.Now, false)

	c.move(29 * time.Minute)
	if login, renewed := ask(sessions, cookie); login != "ada" || renewed != nil {
		t.Errorf("in the first half of its life a session is left alone: %q %v", login, renewed)
	}
	c.move(2 * time.Minute)
	login, renewed := ask(sessions, cookie)
	if login != "ada" || renewed == nil || renewed.MaxAge != 3600 {
		t.Fatalf("in the second half it is renewed: %q %v", login, renewed)
	}
	c.move(30 * time.Minute)
	if login, _ := ask(sessions, cookie); login != "" {
		t.Error("the first cookie has expired")
	}
	if login, _ := ask(sessions, renewed); login != "ada" {
		t.Error("the renewed one holds")
	}
	for end := c.Now().Add(auth.MaxSession); c.Now().Before(end); c.move(29 * time.Minute) {
		if _, again := ask(sessions, renewed); again != nil {
			renewed = again
		}
	}
	if login, _ := ask(sessions, renewed); login != "" {
		t.Error("no session is renewed for ever")
	}
}

func TestTampering(t *testing.T) {
	keys := parse(t, key(1))
	sessions := auth.NewSessions(keys, time.Hour, false, time.Now)
	cookie := signedIn(t, keys, time.Now, false)
	for i := range cookie.Value {
		if cookie.Value[i] == '.' {
			continue
		}
		changed := *cookie
		changed.Value = cookie.Value[:i] + flip(cookie.Value[i]) + cookie.Value[i+1:]
		if login, _ := ask(sessions, &changed); login != "" && !sameBits(cookie.Value, changed.Value) {
			t.Errorf("byte %d may be changed: signed in as %q", i, login)
		}
	}
	for _, value := range []string{"", ".", "....", strings.Repeat("x", 10_000), cookie.Value[:len(cookie.Value)/2]} {
		cut := *cookie
		cut.Value = value
		if login, _ := ask(sessions, &cut); login != "" {
			t.Errorf("%.20q signs in", value)
		}
	}
}

// flip is another letter of base64.
func flip(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

// sameBits tells whether two compact JWEs decode to the same bytes: the last letter of a
// part has bits that mean nothing.
func sameBits(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range as {
		x, _ := base64.RawURLEncoding.DecodeString(as[i])
		y, _ := base64.RawURLEncoding.DecodeString(bs[i])
		if string(x) != string(y) {
			return false
		}
	}
	return true
}

func TestASealIsForOneUse(t *testing.T) {
	w, b := build(t, nil), browser(t)
	for _, cookie := range get(t, b, w.drydock.URL+"/auth/github").cookies {
		moved := *cookie
		moved.Name = "drydock_session"
		if login, _ := ask(w.signIn.Sessions, &moved); login != "" {
			t.Errorf("an attempt's cookie signs in as %q", login)
		}
	}
}

func TestParseKeys(t *testing.T) {
	tests := []struct {
		reason, text string
		ok           bool
	}{
		{"one", key(1), true},
		{"several, however separated", key(1) + ", " + key(2) + "\n" + key(3) + "\n", true},
		{"the URL's alphabet, not padded", base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xff", 32))), true},
		{"a generated one", signing.Generate(), true},
		{"none", "", false},
		{"only separators", ", ,", false},
		{"too short", base64.StdEncoding.EncodeToString([]byte("short")), false},
		{"no base64", strings.Repeat("!", 44), false},
		{"one of them is wrong", key(1) + ",oops", false},
	}
	for _, test := range tests {
		_, err := auth.ParseKeys(test.text)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.reason, err)
		}
		if err != nil && strings.Contains(err.Error(), "oops") {
			t.Errorf("%s: the error shows a key: %v", test.reason, err)
		}
	}
}

func FuzzSession(f *testing.F) {
	keys, err := auth.ParseKeys(signing.Generate()) // each worker has its own: no seed opens but this one's
	if err != nil {
		f.Fatal(err)
	}
	sessions := auth.NewSessions(keys, time.Hour, false, time.Now)
	cookie := signedIn(f, keys, time.Now, false)
	f.Add(cookie.Value)
	f.Add("eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA")
	f.Add("a.b.c.d.e")
	f.Fuzz(func(t *testing.T, value string) {
		changed := *cookie
		changed.Value = value
		login, _ := ask(sessions, &changed)
		if login != "" && !sameBits(value, cookie.Value) {
			t.Errorf("%q signs in as %q", value, login)
		}
	})
}
