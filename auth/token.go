package auth

import (
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const tokenUse = "drydock-token+jwt"

// maxToken bounds what is tried to verify, in bytes: a name has at most 100 characters.
const maxToken = 4096

// The values of a token's scope.
const (
	scopeRead  = "read"
	scopeWrite = "read write"
)

var errToken = errors.New("not signed by a known key")

// Token is what an access token tells of itself.
type Token struct {
	// ID tells tokens apart in the log (JWT's jti).
	ID string
	// Name is what its owner made it for.
	Name string
	// ReadOnly tokens change nothing.
	ReadOnly bool

	// epoch is the account's token epoch in which it was made.
	epoch int64
}

// tokenClaims is the body of the JWT (RFC 7519); times in Unix seconds.
type tokenClaims struct {
	ID       string `json:"jti"`
	Subject  string `json:"sub"`
	Customer string `json:"cus,omitempty"`
	GithubID int64  `json:"gid,omitempty"`
	Name     string `json:"name"`
	Scope    string `json:"scope"`
	Epoch    int64  `json:"epoch"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// sign makes a JWT, HS256 by a key derived of the first one.
func (k *Keys) sign(claims tokenClaims) (string, error) {
	key, ok := k.derive(k.sealing, tokenUse)
	if !ok {
		return "", errToken
	}
	options := (&jose.SignerOptions{}).WithType(tokenUse).WithHeader("kid", k.sealing)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, options)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// verify is the reverse of sign; any failure is errToken. It does not look at the time.
func (k *Keys) verify(text string) (claims tokenClaims, err error) {
	if len(text) > maxToken {
		return claims, errToken
	}
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil || len(parsed.Headers) != 1 {
		return claims, errToken
	}
	header := parsed.Headers[0]
	key, known := k.derive(header.KeyID, tokenUse)
	if !known || header.ExtraHeaders[jose.HeaderType] != tokenUse {
		return claims, errToken
	}
	if parsed.Claims(key, &claims) != nil || claims.Subject == "" || claims.Scope != scopeRead && claims.Scope != scopeWrite {
		return tokenClaims{}, errToken
	}
	return claims, nil
}

// viewer is who asks with the token.
func (c tokenClaims) viewer() Viewer {
	return Viewer{
		Login: c.Subject, CustomerID: c.Customer, GithubID: c.GithubID,
		SignedIn: time.Unix(c.Issued, 0).UTC(), Expires: time.Unix(c.Expires, 0).UTC(),
		Token: &Token{ID: c.ID, Name: c.Name, ReadOnly: c.Scope != scopeWrite, epoch: c.Epoch},
	}
}
