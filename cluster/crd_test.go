package cluster_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
)

// raw asks the API server for what kubectl asks it for.
func (w *world) raw(t *testing.T, path, accept string, into any) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", w.kubeconfig)
	must(t, err)
	config.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	rest, err := rest.UnversionedRESTClientFor(config)
	must(t, err)
	body, err := rest.Get().AbsPath(path).SetHeader("Accept", accept).DoRaw(t.Context())
	must(t, err)
	must(t, json.Unmarshal(body, into))
}

func TestBuildSpecIsImmutable(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	image := create(t, c, newLogin(), "app")
	key := start(t, c, image.Key).Key
	for _, test := range []struct {
		reason string
		change func(*v1alpha1.Build)
		legal  bool
	}{
		{"another ref is another build", func(b *v1alpha1.Build) { b.Spec.Source.Ref = "other" }, false},
		{"more time is not to be had", func(b *v1alpha1.Build) { b.Spec.Limits.TimeoutSeconds++ }, false},
		{"nobody else pays", func(b *v1alpha1.Build) { b.Spec.Account = "bob" }, false},
		{"annotations may change: cancelling is one", func(b *v1alpha1.Build) {
			metav1.SetMetaDataAnnotation(&b.ObjectMeta, v1alpha1.AnnotationCancelRequested, "now")
		}, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			var b v1alpha1.Build
			must(t, w.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.Namespace(key.Login), Name: key.Name}, &b))
			test.change(&b)
			if err := w.Update(t.Context(), &b); (err == nil) != test.legal || err != nil && !apierrors.IsInvalid(err) {
				t.Errorf("got %v, want legal: %v", err, test.legal)
			}
		})
	}
}

// TestTables checks what `kubectl get images,builds` prints.
func TestTables(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	image := create(t, c, newLogin(), "app")
	b := start(t, c, image.Key)
	w.status(t, b.Key, func(s *v1alpha1.BuildStatus) {
		now := metav1.Now()
		*s = v1alpha1.BuildStatus{Phase: v1alpha1.PhaseFailed, Reason: v1alpha1.ReasonTimeout, StartTime: &now, CompletionTime: &now,
			Commit: "c0ffee", Digest: "sha256:1", Billing: &v1alpha1.BuildBilling{Seconds: 7, ReportTime: now}}
	})
	path := "/apis/drydock.dev/v1alpha1/namespaces/" + v1alpha1.Namespace(image.Key.Login) + "/"
	for _, test := range []struct {
		resource string
		want     map[string]any
	}{
		{"images", map[string]any{"Name": "app", "Destination": "registry.example.com/team/app", "Latest": nil, "Phase": nil, "Digest": nil,
			"Repository": "https://git.example.com/team/app.git", "Suspended": nil}},
		{"builds", map[string]any{"Name": b.Key.Name, "Image": "app", "Number": 1.0, "Phase": "Failed", "Reason": "Timeout",
			"Commit": "c0ffee", "Digest": "sha256:1", "Billed": 7.0}},
	} {
		t.Run(test.resource, func(t *testing.T) {
			var table metav1.Table
			w.raw(t, path+test.resource, "application/json;as=Table;v=v1;g=meta.k8s.io", &table)
			got := map[string]any{}
			for i, column := range table.ColumnDefinitions {
				switch column.Name {
				case "Age", "Started", "Finished": // times
					if cell, _ := table.Rows[0].Cells[i].(string); cell == "" || cell == "<invalid>" {
						t.Errorf("%s is %q", column.Name, cell)
					}
				default:
					got[column.Name] = table.Rows[0].Cells[i]
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	var list metav1.APIResourceList
	newWorld(t).raw(t, "/apis/drydock.dev/v1alpha1", "application/json", &list)
	got := map[string][]string{}
	for _, resource := range list.APIResources {
		got[resource.Name] = append(append([]string{resource.Kind}, resource.ShortNames...), resource.Categories...)
	}
	want := map[string][]string{"images": {"Image", "img", "drydock"}, "images/status": {"Image"},
		"builds": {"Build", "bld", "drydock"}, "builds/status": {"Build"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSelectableFields(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, nil)
	login := newLogin()
	app, other := create(t, c, login, "app"), create(t, c, login, "other")
	suspended := true
	_, err := c.UpdateImage(t.Context(), other.Key, updateSuspended(suspended))
	must(t, err)
	first, second := start(t, c, app.Key), start(t, c, app.Key)
	w.status(t, second.Key, ended(v1alpha1.PhaseFailed))
	for _, test := range []struct {
		list   client.ObjectList
		fields client.MatchingFields
		want   []string
	}{
		{&v1alpha1.ImageList{}, client.MatchingFields{"spec.suspended": "true"}, []string{"other"}},
		{&v1alpha1.ImageList{}, client.MatchingFields{"spec.destination": "registry.example.com/none"}, nil},
		{&v1alpha1.BuildList{}, client.MatchingFields{"status.phase": "Failed"}, []string{second.Key.Name}},
		{&v1alpha1.BuildList{}, client.MatchingFields{"spec.account": login, "status.phase": ""}, []string{first.Key.Name}},
		{&v1alpha1.BuildList{}, client.MatchingFields{"spec.image.name": "other"}, nil},
	} {
		must(t, w.List(t.Context(), test.list, client.InNamespace(v1alpha1.Namespace(login)), test.fields))
		var got []string
		switch list := test.list.(type) {
		case *v1alpha1.ImageList:
			got = names(list.Items, func(i v1alpha1.Image) string { return i.Name })
		case *v1alpha1.BuildList:
			got = names(list.Items, func(b v1alpha1.Build) string { return b.Name })
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.fields, diff)
		}
	}
}
