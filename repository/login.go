// Package repository tries credentials at git hosts: the gateway's one door to them.
// Sources are fetched by builds, not here.
package repository

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"drydock.dev/drydock/fault"
	"drydock.dev/drydock/graph/model"
	"drydock.dev/drydock/reach"
)

// Options say how credentials are tried.
type Options struct {
	// Private lets hosts be asked at addresses of private networks.
	Private bool
	// Loopback lets hosts be asked that are on this very host by their own name, over plain
	// HTTP too: for development.
	Loopback bool
	// Timeout bounds one try; 10 s where 0.
	Timeout time.Duration
}

// Logins tries credentials.
type Logins struct {
	Options
	client *http.Client
}

// NewLogins makes a Logins. It asks nobody.
func NewLogins(options Options) *Logins {
	l := &Logins{Options: options}
	if l.Timeout == 0 {
		l.Timeout = 10 * time.Second
	}
	l.client = &http.Client{CheckRedirect: stayThere, Transport: &http.Transport{
		DialContext: l.dial, MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true, ForceAttemptHTTP2: true,
	}}
	return l
}

// Try asks a repository's host whether it takes a credential. fault.BadUserInput is for
// one that it refuses, and alone: a host that cannot be reached from here, or may not be
// asked, is perhaps one that builds reach, and they say how it went. No fault repeats what
// the host said: it was told the secret.
// Git: GET info/refs (https://git-scm.com/docs/http-protocol#_smart_clients), or the
// handshake of SSH.
func (l *Logins) Try(ctx context.Context, repository string, in model.SetGitCredentialInput) error {
	limited, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	scheme, host := model.GitOrigin(repository)
	refused := false
	switch {
	case in.Token != nil && (scheme == "https" || scheme == "http" && l.own(host)):
		refused = l.refusesToken(limited, repository, in.Username, *in.Token)
	case in.SSHKey != nil && scheme == "ssh":
		refused = l.refusesKey(limited, repository, host, *in.SSHKey)
	}
	if refused && ctx.Err() == nil {
		return fault.New(fault.BadUserInput, "%s does not let this credential read the repository: check that it is good, and may read this one.", host)
	}
	return ctx.Err()
}

func (l *Logins) refusesToken(ctx context.Context, repository, username, token string) bool {
	ask := strings.TrimSuffix(repository, "/") + "/info/refs?service=git-upload-pack"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, ask, nil)
	if err != nil {
		return false
	}
	request.SetBasicAuth(username, token)
	response, err := l.client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound: // 404: hosts do not tell strangers what there is
		return true
	}
	return false
}

func (l *Logins) refusesKey(ctx context.Context, repository, host, key string) bool {
	signer, err := ssh.ParsePrivateKey([]byte(strings.TrimSpace(key) + "\n"))
	if err != nil {
		return false // Validate says so
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, "22")
	}
	connection, err := l.dial(ctx, "tcp", host)
	if err != nil {
		return false
	}
	defer func() { _ = connection.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = connection.SetDeadline(deadline)
	}
	client, channels, requests, err := ssh.NewClientConn(connection, host, &ssh.ClientConfig{
		User: userOf(repository), Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // a signature is good for this connection alone, and nothing else is sent
	})
	if err != nil {
		return strings.Contains(err.Error(), "unable to authenticate") // the library has no type for it
	}
	go ssh.DiscardRequests(requests)
	go func() {
		for channel := range channels {
			_ = channel.Reject(ssh.Prohibited, "")
		}
	}()
	_ = client.Close()
	return false
}

// userOf is who a repository at ssh:// is read as.
func userOf(repository string) string {
	if at, err := url.Parse(repository); err == nil && at.User != nil {
		return at.User.Username()
	}
	if user, _, named := strings.Cut(repository, "@"); named && !strings.Contains(user, "/") {
		return user
	}
	return "git"
}

// own tells whether a host, host[:port], is this very one and may be asked.
func (l *Logins) own(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return l.Loopback && model.Loopback(host)
}

func (l *Logins) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: l.Timeout}
	if !l.own(address) {
		dialer.Control = reach.Control(l.Private)
	}
	return dialer.DialContext(ctx, network, address)
}

// stayThere follows no redirect to another host: that one is not to hear the token.
func stayThere(request *http.Request, before []*http.Request) error {
	if request.URL.Host != before[0].URL.Host || request.URL.Scheme != before[0].URL.Scheme || len(before) >= 5 {
		return http.ErrUseLastResponse
	}
	return nil
}
