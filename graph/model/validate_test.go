package model_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"drydock.dev/drydock/graph/model"
)

// The rules of each field are in package cluster's table, which holds them and the
// CRDs to the same verdicts.

func TestUpdateImageInputValidate(t *testing.T) {
	source := graphql.OmittableOf(&model.GitSourceInput{Repository: "https://host/path.git", Ref: "main", Context: ".", Dockerfile: "Dockerfile"})
	text := func(s string) graphql.Omittable[*string] { return graphql.OmittableOf(&s) }
	long := strings.Repeat("x", 257)
	ten, nine := 10, 9
	for _, test := range []struct {
		reason string
		in     model.UpdateImageInput
		fields []string // that have a problem
	}{
		{"nothing set is nothing wrong", model.UpdateImageInput{}, nil},
		{"what is set is checked", model.UpdateImageInput{Source: source, Destination: text("host:5000/Upper"), TimeoutSeconds: graphql.OmittableOf(&nine)}, []string{"destination", "timeoutSeconds"}},
		{"a source cannot be cleared", model.UpdateImageInput{Source: graphql.OmittableOf[*model.GitSourceInput](nil)}, []string{"source"}},
		{"a destination cannot be cleared", model.UpdateImageInput{Destination: graphql.OmittableOf[*string](nil)}, []string{"destination"}},
		{"null tags mean the default", model.UpdateImageInput{Tags: graphql.OmittableOf[[]string](nil)}, nil},
		{"no tags are too few", model.UpdateImageInput{Tags: graphql.OmittableOf([]string{})}, []string{"tags"}},
		{"the rest can be cleared", model.UpdateImageInput{BuildArgs: graphql.OmittableOf[[]*model.KeyValueInput](nil),
			Platforms: graphql.OmittableOf[[]string](nil), TimeoutSeconds: graphql.OmittableOf[*int](nil), Suspended: graphql.OmittableOf[*bool](nil)}, nil},
		{"the shortest timeout", model.UpdateImageInput{TimeoutSeconds: graphql.OmittableOf(&ten)}, nil},
		{"a mutation id is bounded", model.UpdateImageInput{ClientMutationID: &long}, []string{"clientMutationID"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			wantFields(t, test.in.Validate(), test.fields)
		})
	}
}

func TestBuildStartValidate(t *testing.T) {
	for _, test := range []struct {
		reason string
		start  model.BuildStart
		fields []string
	}{
		{"no ref is the image's own", model.BuildStart{}, nil},
		{"a branch with a slash", model.BuildStart{Ref: "feature/log-tail"}, nil},
		{"a commit", model.BuildStart{Ref: "0123456789abcdef0123456789abcdef01234567"}, nil},
		{"an option of git is no ref", model.BuildStart{Ref: "--upload-pack=x"}, []string{"ref"}},
		{"two dots are a range", model.BuildStart{Ref: "a..b"}, []string{"ref"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			wantFields(t, test.start.Validate(), test.fields)
		})
	}
}

func wantFields(t *testing.T, problems []model.Problem, fields []string) {
	t.Helper()
	if len(problems) != len(fields) {
		t.Fatalf("got %v, want problems of %v", problems, fields)
	}
	for i, problem := range problems {
		if problem.Field != fields[i] || !strings.HasPrefix(problem.String(), fields[i]+" must") || !strings.HasSuffix(problem.String(), ".") {
			t.Errorf("got %q, want a sentence about %s", problem, fields[i])
		}
	}
}

// TestCountsInWords reads what is told of too many or too few: whole sentences.
func TestCountsInWords(t *testing.T) {
	tags, platforms := make([]string, 21), make([]string, 9)
	for i := range tags {
		tags[i] = fmt.Sprintf("t%d", i)
	}
	for i := range platforms {
		platforms[i] = fmt.Sprintf("linux/a%d", i)
	}
	args := make([]*model.KeyValueInput, 101)
	for i := range args {
		args[i] = &model.KeyValueInput{Key: fmt.Sprintf("K%d", i)}
	}
	in := model.UpdateImageInput{
		Tags: graphql.OmittableOf(tags), BuildArgs: graphql.OmittableOf(args), Platforms: graphql.OmittableOf(platforms),
	}
	var got []string
	for _, problem := range in.Validate() {
		got = append(got, problem.String())
	}
	want := []string{
		"tags must have 1 to 20 entries.",
		"buildArgs must have at most 100 entries.",
		"platforms must have at most 8 entries.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTagTemplates: what no tag can come of is said when the image is saved, in words that help.
func TestTagTemplates(t *testing.T) {
	const legal = "must be letters, digits, '_', '.' and '-'"
	for _, test := range []struct{ reason, tag, want string }{
		{"every template", "a{{.Commit}}{{.ShortCommit}}{{.Branch}}{{.Tag}}{{.Number}}{{.Date}}", ""},
		{"with blanks", "{{ .Number }}", ""},
		{"what is none", "v{{.Version}}", "must not hold {{.Version}}: there are {{.Commit}},"},
		{"another case", "{{.commit}}", "must not hold {{.commit}}: "},
		{"no dot", "{{Commit}}", "must not hold {{Commit}}: "},
		{"a function", "{{.Commit | lower}}", "must not hold {{.Commit | lower}}: "},
		{"the second of two", "{{.Commit}}-{{.Time}}", "must not hold {{.Time}}: "},
		{"nothing", "{{}}", "must not hold {{}}: "},
		{"one that is not closed", "{{.Commit", legal},
		{"shell's", "$COMMIT", legal},
		{"a slash beside one", "{{.Branch}}/x", legal},
		{"a hyphen first", "-{{.Number}}", legal},
		{"too long a text beside one", "{{.Commit}}" + strings.Repeat("x", 256), "at most 256 characters"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			problems := (&model.UpdateImageInput{Tags: graphql.OmittableOf([]string{test.tag})}).Validate()
			if test.want == "" && len(problems) > 0 || test.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), test.want)) {
				t.Errorf("%s: %v, want %q", test.tag, problems, test.want)
			}
		})
	}
}
