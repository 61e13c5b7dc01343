package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/oauth2"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/github"
	"drydock.dev/drydock/graph/model"
)

// maxAnswer bounds an answer of GitHub's, in bytes.
const maxAnswer = 1 << 20

// login is what GitHub gives as a login, in lower case; managed users of an
// enterprise have an underscore.
var login = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,38}$`)

// GitHubOptions say which GitHub signs people in.
type GitHubOptions struct {
	// URL is https://github.com, a GitHub Enterprise server, or a stand-in.
	URL string
	// ClientID and ClientSecret are the OAuth app's.
	ClientID, ClientSecret string
	// PublicURL is where browsers find Drydock.
	PublicURL string
	// HTTP makes the requests; it has a deadline of its own.
	HTTP *http.Client
}

// GitHub signs people in with GitHub's web application flow
// (https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps).
type GitHub struct {
	oauth oauth2.Config
	api   string
	http  *http.Client
}

// NewGitHub makes the client of a GitHub.
func NewGitHub(o GitHubOptions) *GitHub {
	base := strings.TrimRight(o.URL, "/")
	return &GitHub{
		api:  github.APIURL(base),
		http: o.HTTP,
		oauth: oauth2.Config{
			ClientID:     o.ClientID,
			ClientSecret: o.ClientSecret,
			RedirectURL:  strings.TrimRight(o.PublicURL, "/") + "/auth/github/callback",
			Scopes:       []string{"read:user", "user:email"},
			Endpoint: oauth2.Endpoint{
				AuthURL:   base + "/login/oauth/authorize",
				TokenURL:  base + "/login/oauth/access_token",
				AuthStyle: oauth2.AuthStyleInParams,
			},
		},
	}
}

// authorizeURL is where the browser goes to sign in.
func (g *GitHub) authorizeURL(a attempt) string {
	return g.oauth.AuthCodeURL(a.State, oauth2.S256ChallengeOption(a.Verifier))
}

// identify trades a code for the identity of who signed in. A code that GitHub does
// not take is fault.Unauthenticated, a GitHub that does not answer fault.Unavailable.
func (g *GitHub) identify(ctx context.Context, code, verifier string) (model.Identity, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, g.http)
	token, err := g.oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return model.Identity{}, exchangeFault(err)
	}
	client := g.oauth.Client(ctx, token)
	var user struct {
		Login string `json:"login"`
		ID    int64  `json:"id"`
		Email string `json:"email"`
	}
	if err := get(ctx, client, g.api+"/user", &user); err != nil {
		return model.Identity{}, fault.Wrap(fault.Unavailable, err)
	}
	user.Login = strings.ToLower(user.Login)
	if !login.MatchString(user.Login) || user.ID == 0 {
		return model.Identity{}, fault.Wrap(fault.Unavailable, fmt.Errorf("github: a user without a legal login: %q, %d", user.Login, user.ID))
	}
	if user.Email == "" {
		user.Email = g.email(ctx, client)
	}
	return model.Identity{Login: user.Login, GithubID: user.ID, Email: user.Email}, nil
}

// email is the primary verified address of a user who does not publish one; empty
// where GitHub does not tell: one can sign in without.
func (g *GitHub) email(ctx context.Context, client *http.Client) string {
	var emails []struct {
		Email             string
		Primary, Verified bool
	}
	if err := get(ctx, client, g.api+"/user/emails", &emails); err != nil {
		return ""
	}
	for _, e := range emails {
		if e.Primary && e.Verified {
			return e.Email
		}
	}
	return ""
}

// exchangeFault tells a refused code from a GitHub in trouble.
func exchangeFault(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode < 500 {
		switch refused.ErrorCode {
		case "incorrect_client_credentials", "redirect_uri_mismatch", "invalid_client":
			// the installation's settings are wrong: nothing that the user could mend
			return fault.Wrap(fault.Internal, err)
		}
		return &fault.Error{Kind: fault.Unauthenticated, Message: "GitHub did not accept the sign-in: begin again.", Cause: err}
	}
	return &fault.Error{Kind: fault.Unavailable, Message: "GitHub does not answer just now: try again soon.", Cause: err}
}

// get reads a JSON document of the API.
func get(ctx context.Context, client *http.Client, address string, into any) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/vnd.github+json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("github: GET %s: %s", request.URL.Path, response.Status)
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into)
}
