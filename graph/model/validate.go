package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with an input.
type Problem struct {
	// Field is its path in the input, such as source.ref or tags[2].
	Field string
	// Message says what is legal there, for people; it follows the field's name.
	Message string
}

// String is the whole sentence.
func (p Problem) String() string { return p.Field + " " + p.Message + "." }

// The bounds of an image definition. The CRDs in deploy/crds hold the same rules, for
// those who write with kubectl; a test of package cluster holds both together.
const (
	maxName        = 63
	maxRepository  = 2048
	maxRef         = 255
	maxPath        = 1024
	maxDestination = 255
	maxTags        = 20
	maxTag         = 128 // OCI distribution specification
	maxTagTemplate = 256
	maxBuildArgs   = 100
	maxArgKey      = 128
	maxArgValue    = 4096 // bytes
	maxPlatforms   = 8
	maxPlatform    = 64
	minTimeout     = 10
	maxTimeout     = 86400
	// maxMutationID bounds what clients choose freely.
	maxMutationID = 256
)

var (
	legalName        = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	legalRepository  = regexp.MustCompile(`^((https?|ssh|git)://([A-Za-z0-9._~-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/[A-Za-z0-9._~/%+-]+|git@[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~/+][A-Za-z0-9._~/+-]*)$`)
	legalRef         = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+-]*$`)
	legalPath        = regexp.MustCompile(`^[A-Za-z0-9._][A-Za-z0-9._/+@-]*$`)
	legalDestination = regexp.MustCompile(`^((localhost|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+)(:[0-9]{1,5})?|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?:[0-9]{1,5})(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$`)
	legalTag         = regexp.MustCompile(`^([A-Za-z0-9_]|\{\{ ?\.(Commit|ShortCommit|Branch|Tag|Number|Date) ?\}\})([A-Za-z0-9_.-]|\{\{ ?\.(Commit|ShortCommit|Branch|Tag|Number|Date) ?\}\})*$`)
	anyTemplate      = regexp.MustCompile(`\{\{[^{}]*\}\}`)
	legalArgKey      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	legalPlatform    = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$`)
)

// problems gathers what is wrong.
type problems []Problem

// check notes a problem unless the field is right.
func (p *problems) check(right bool, field, format string, args ...any) {
	if !right {
		*p = append(*p, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

// text checks a text against a pattern and a length in characters.
func (p *problems) text(field, value string, pattern *regexp.Regexp, most int, legal string) bool {
	right := pattern.MatchString(value) && utf8.RuneCountInString(value) <= most
	p.check(right, field, "must be %s, at most %d characters", legal, most)
	return right
}

func (p *problems) name(value string) {
	p.text("name", value, legalName, maxName, "a DNS label: lower case letters, digits and '-', with a letter or digit at both ends")
}

func (p *problems) source(source *GitSourceInput) {
	if source == nil {
		p.check(false, "source", "must name a git repository: it cannot be cleared")
		return
	}
	p.text("source.repository", source.Repository, legalRepository, maxRepository,
		"a clone URL such as https://host/path.git, ssh://git@host/path.git or git@host:path.git, without a password")
	p.ref("source.ref", source.Ref)
	p.path("source.context", source.Context, "a folder of the repository")
	p.path("source.dockerfile", source.Dockerfile, "a file of the context")
}

func (p *problems) ref(field, ref string) {
	right := legalRef.MatchString(ref) && len(ref) <= maxRef &&
		!strings.Contains(ref, "..") && !strings.Contains(ref, "//") &&
		!strings.HasSuffix(ref, "/") && !strings.HasSuffix(ref, ".") && !strings.HasSuffix(ref, ".lock")
	p.check(right, field, "must be a branch, a tag or a commit as git allows them: letters, digits and . _ / + -, "+
		"without '..' or '//', not ending in '/', '.' or '.lock', at most %d characters", maxRef)
}

func (p *problems) path(field, path, what string) {
	if p.text(field, path, legalPath, maxPath, what+", relative: letters, digits and . _ / + @ -") {
		p.check(!slices.Contains(strings.Split(path, "/"), ".."), field, "must not contain '..'")
	}
}

func (p *problems) destination(value string) {
	p.text("destination", value, legalDestination, maxDestination,
		"a registry and a path, host[:port]/path, such as registry.example.com/team/app, the path in lower case and without a tag")
}

func (p *problems) tags(tags []string) {
	p.check(len(tags) >= 1 && len(tags) <= maxTags, "tags", "must have 1 to %d entries", maxTags)
	for i, tag := range tags {
		field := fmt.Sprintf("tags[%d]", i)
		most := maxTag
		if strings.Contains(tag, "{{") {
			most = maxTagTemplate
		}
		if unknown := unknownTemplate(tag); unknown != "" {
			p.check(false, field, "must not hold %s: there are {{.Commit}}, {{.ShortCommit}}, {{.Branch}}, {{.Tag}}, {{.Number}} and {{.Date}}", unknown)
			continue
		}
		p.text(field, tag, legalTag, most, "letters, digits, '_', '.' and '-', not beginning with '.' or '-', "+
			"with {{.Commit}}, {{.ShortCommit}}, {{.Branch}}, {{.Tag}}, {{.Number}} or {{.Date}} where wanted")
		p.check(!slices.Contains(tags[:i], tag), field, "must not repeat another tag")
	}
}

// unknownTemplate is the first {{...}} of a tag that stands for nothing; empty without one.
func unknownTemplate(tag string) string {
	for _, template := range anyTemplate.FindAllString(tag, -1) {
		if !legalTag.MatchString(template) {
			return template
		}
	}
	return ""
}

func (p *problems) buildArgs(args []*KeyValueInput) {
	p.check(len(args) <= maxBuildArgs, "buildArgs", "must have at most %d entries", maxBuildArgs)
	seen := map[string]bool{}
	for i, arg := range args {
		field := fmt.Sprintf("buildArgs[%d]", i)
		p.text(field+".key", arg.Key, legalArgKey, maxArgKey, "letters, digits and '_', not beginning with a digit")
		p.check(!seen[arg.Key], field+".key", "must not repeat another key")
		p.check(len(arg.Value) <= maxArgValue && !strings.Contains(arg.Value, "\x00"),
			field+".value", "must be a text without NUL, at most %d bytes", maxArgValue)
		seen[arg.Key] = true
	}
}

func (p *problems) platforms(platforms []string) {
	p.check(len(platforms) <= maxPlatforms, "platforms", "must have at most %d entries", maxPlatforms)
	for i, platform := range platforms {
		field := fmt.Sprintf("platforms[%d]", i)
		p.text(field, platform, legalPlatform, maxPlatform, "os/architecture[/variant], such as linux/amd64")
		p.check(!slices.Contains(platforms[:i], platform), field, "must not repeat another platform")
	}
}

func (p *problems) timeout(seconds *int) {
	p.check(seconds == nil || *seconds >= minTimeout && *seconds <= maxTimeout,
		"timeoutSeconds", "must be %d to %d", minTimeout, maxTimeout)
}

func (p *problems) mutationID(id string) {
	p.check(len(id) <= maxMutationID, "clientMutationID", "must be at most %d bytes", maxMutationID)
}

func deref[T any](pointer *T) (value T) {
	if pointer != nil {
		value = *pointer
	}
	return value
}
