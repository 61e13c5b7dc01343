package model

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"
)

// legalToken is what fits into a line of git's credential protocol
// (https://git-scm.com/docs/git-credential#IOFMT).
var legalToken = regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`)

// GitOrigin is where a legal repository is: https, http, ssh or git, and host[:port].
func GitOrigin(repository string) (scheme, host string) {
	if !strings.Contains(repository, "://") { // git@host:path
		_, rest, _ := strings.Cut(repository, "@")
		host, _, _ = strings.Cut(rest, ":")
		return "ssh", strings.ToLower(host)
	}
	at, err := url.Parse(repository)
	if err != nil {
		return "", ""
	}
	return at.Scheme, strings.ToLower(at.Host)
}

// Loopback tells whether a host by its own name is this very one: what a name server
// says of a name does not count.
func Loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// Validate says all that is wrong with a credential. It never repeats a secret.
func (in *SetGitCredentialInput) Validate() []Problem {
	var p problems
	p.check((in.Token == nil) != (in.SSHKey == nil), "token", "or sshKey must be given, one of the two")
	p.text("username", in.Username, legalUsername, maxUsername, "a user's or a token's name, without a colon")
	if in.Token != nil {
		p.check(legalToken.MatchString(*in.Token) && len(*in.Token) <= maxPassword, "token", "must be a token of one line, at most %d bytes", maxPassword)
	}
	if in.SSHKey != nil {
		p.sshKey(*in.SSHKey)
	}
	p.mutationID(deref(in.ClientMutationID))
	return p
}

func (p *problems) sshKey(pem string) {
	if p.check(len(pem) <= maxPassword, "sshKey", "must be at most %d bytes", maxPassword); len(pem) > maxPassword {
		return
	}
	_, err := ssh.ParseRawPrivateKey([]byte(pem))
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		p.check(false, "sshKey", "has a passphrase, which nobody is there to type: make a key without one, for this purpose alone")
		return
	}
	p.check(err == nil, "sshKey", "must be a private key in PEM, such as ssh-keygen -t ed25519 makes")
}
