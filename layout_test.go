package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "drydock.dev/drydock"

// rule says who may import what. A path ends in /... to mean all below it too.
type rule struct {
	reason    string
	imports   []string // whoever imports one of these
	only      []string // must be one of these, where given
	never     []string // and none of these
	testsToo  bool     // test files are held to it as well
	importers []string // the rule is about these packages alone, where given
}

var rules = []rule{
	{
		reason:    "the vocabulary, and what is pure, imports nothing of ours",
		importers: []string{"graph/model", "fault", "metering"},
		imports:   []string{module + "/..."}, never: []string{"..."},
	},
	{
		reason:  "resolvers and loaders declare what they need and are handed it",
		imports: []string{module + "/billing/...", module + "/cluster/..."},
		never:   []string{"resolvers", "loaders"},
	},
	{
		reason:  "what needs both Stripe and Kubernetes is a resolver or the controller",
		imports: []string{module + "/billing/..."}, never: []string{"cluster/..."}, testsToo: true,
	},
	{
		reason:  "what needs both Stripe and Kubernetes is a resolver or the controller",
		imports: []string{module + "/cluster/..."}, never: []string{"billing/..."}, testsToo: true,
	},
	{
		reason:  "one door to Stripe",
		imports: []string{"github.com/stripe/stripe-go/..."}, only: []string{"billing/..."}, testsToo: true,
	},
	{
		reason:  "one door to Kubernetes: cluster for the gateway, controller for the builds, conversion for the definitions",
		imports: []string{"k8s.io/client-go/...", "sigs.k8s.io/controller-runtime/..."},
		only:    []string{"cluster/...", "controller/...", "conversion", "api/...", "cmd/controller"},
	},
	{
		reason:  "one door to ristretto",
		imports: []string{"github.com/dgraph-io/ristretto/..."}, only: []string{"cache"}, testsToo: true,
	},
	{
		reason:  "one door to the dataloader library",
		imports: []string{"github.com/vikstrous/dataloadgen"}, only: []string{"loaders"}, testsToo: true,
	},
	{
		reason:  "one door to Playwright",
		imports: []string{"github.com/playwright-community/playwright-go"}, only: []string{"e2e/browser"}, testsToo: true,
	},
	{
		reason:  "one door to OAuth2 and JOSE",
		imports: []string{"golang.org/x/oauth2/...", "github.com/go-jose/..."}, only: []string{"auth/..."}, testsToo: true,
	},
	{
		reason:  "one door to registries",
		imports: []string{"github.com/google/go-containerregistry/..."},
		only:    []string{"registry/...", "cmd/devstack/registry", "e2e/stack"},
	},
	{
		reason: "stand-ins are for tests, the development stack, the end-to-end tests and the benchmarks",
		imports: []string{
			module + "/billing/billingtest", module + "/auth/authtest", module + "/cluster/clustertest", module + "/registry/registrytest",
		},
		only: []string{"cmd/devstack", "e2e/...", "bench/...", "billing/billingtest/...", "auth/authtest", "cluster/clustertest"},
	},
	{
		reason:  "only main reads flags",
		imports: []string{"flag", module + "/settings"},
		only:    []string{".", "cmd/...", "bench", "e2e/...", "settings"},
	},
}

// TestImports holds the import rules of ARCHITECTURE.md over every file.
func TestImports(t *testing.T) {
	seen := 0
	for file := range goFiles(t) {
		importer := path.Dir(file)
		test := strings.HasSuffix(file, "_test.go")
		for _, imported := range imports(t, file) {
			seen++
			for _, r := range rules {
				if r.broken(importer, imported, test) {
					t.Errorf("%s imports %s: %s", file, imported, r.reason)
				}
			}
		}
	}
	if seen == 0 {
		t.Fatal("no import was seen: the test looks in the wrong place")
	}
}

// TestFileSize holds hand-written files under 400 lines: a longer one holds two ideas.
func TestFileSize(t *testing.T) {
	for file, text := range goFiles(t) {
		if lines := strings.Count(text, "\n"); lines > 400 && !generated(text) {
			t.Errorf("%s has %d lines: split it by concept", file, lines)
		}
	}
}

// TestNoPackageState holds that nothing starts by itself and nobody but main reads the environment.
func TestNoPackageState(t *testing.T) {
	for file, text := range goFiles(t) {
		dir := path.Dir(file)
		if generated(text) || strings.HasSuffix(file, "_test.go") || strings.Contains(dir, "/testdata/") {
			continue
		}
		if strings.Contains(text, "\nfunc init()") {
			t.Errorf("%s has an init function: hand it in instead", file)
		}
		reads := strings.Contains(text, "os.Getenv(") || strings.Contains(text, "os.LookupEnv(")
		if reads && !matches(dir, []string{".", "cmd/...", "cluster/clustertest", "bench/...", "e2e/..."}) {
			t.Errorf("%s reads the environment: only main does", file)
		}
	}
}

// TestMarkers holds that markers of rights stand apart from comments: controller-gen passes over those that do not.
func TestMarkers(t *testing.T) {
	for file, text := range goFiles(t) {
		before := ""
		for line := range strings.Lines(text) {
			marker, after := strings.HasPrefix(line, rightsMarker), strings.HasPrefix(before, rightsMarker)
			if marker && !after && before != "\n" || after && !marker && line != "\n" {
				t.Errorf("%s: a blank line is missing before or after %s", file, rightsMarker)
			}
			before = line
		}
	}
}

const rightsMarker = "// +kubebuilder:rbac:"

func (r rule) broken(importer, imported string, test bool) bool {
	if test && !r.testsToo || len(r.importers) > 0 && !matches(importer, r.importers) {
		return false
	}
	if !matches(imported, r.imports) {
		return false
	}
	return matches(importer, r.never) || len(r.only) > 0 && !matches(importer, r.only)
}

func matches(name string, patterns []string) bool {
	for _, pattern := range patterns {
		prefix, below := strings.CutSuffix(pattern, "...")
		switch {
		case name == pattern, below && name+"/" == prefix, below && strings.HasPrefix(name, prefix):
			return true
		}
	}
	return false
}

func generated(text string) bool { return strings.Contains(text, "DO NOT EDIT") }

func imports(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return all
}

// goFiles reads every Go file of this module, by its path.
func goFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		skip := name == "kubestack" || name == "bin" || entry.Name() == "node_modules" || name != "." && strings.HasPrefix(entry.Name(), ".")
		if entry.IsDir() && skip {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") {
			files[filepath.ToSlash(name)] = read(t, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
