package main

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"drydock.dev/drydock/e2e/client"
)

// The account that is measured has what the reference query shows: 20 images with 3 builds each.
const (
	login  = "ada"
	images = 20
	builds = 3
)

// furnish signs the account up and fills it. No controller runs: the builds get their end written as a controller
// would write it, so that the reference query's answer is a full one.
func (r *run) furnish(ctx context.Context, c *client.Client) error {
	if err := c.SignIn(ctx, login); err != nil {
		return err
	}
	for i := range images {
		image, err := createImage(ctx, c, fmt.Sprintf("image-%02d", i), r.house.Registry)
		if err != nil {
			return err
		}
		for range builds {
			if _, err := startBuild(ctx, c, image); err != nil {
				return err
			}
		}
		if i == 0 {
			r.image = image
		}
	}
	return r.endBuilds(ctx)
}

func createImage(ctx context.Context, c *client.Client, name, registry string) (id string, err error) {
	var data struct {
		CreateImage struct{ Image struct{ ID string } }
	}
	err = c.Do(ctx, client.Request{
		Query: `mutation($in: CreateImageInput!) { createImage(input: $in) { image { id } } }`,
		Variables: map[string]any{"in": map[string]any{
			"name": name, "source": map[string]any{"repository": "https://git.example/" + name + ".git"},
			"destination": registry + "/" + login + "/" + name,
		}},
	}, &data)
	return data.CreateImage.Image.ID, err
}

func startBuild(ctx context.Context, c *client.Client, image string) (id string, err error) {
	var data struct {
		StartBuild struct{ Build struct{ ID string } }
	}
	err = c.Do(ctx, client.Request{
		Query:     `mutation($image: ID!) { startBuild(input: {image: $image}) { build { id } } }`,
		Variables: map[string]any{"image": image},
	}, &data)
	return data.StartBuild.Build.ID, err
}

// object is what is read of any object of Kubernetes.
type object struct {
	Metadata struct{ Namespace, Name string }
	Status   struct{ Phase string }
}

// buildsPath begins the path of every build.
const buildsPath = "/apis/drydock.dev/v1alpha1/namespaces/"

func (o object) statusPath() string {
	return buildsPath + o.Metadata.Namespace + "/builds/" + o.Metadata.Name + "/status"
}

// endBuilds writes an end to every build.
func (r *run) endBuilds(ctx context.Context) error {
	all, err := r.listBuilds(ctx)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	for _, build := range all {
		if err := r.kubernetes.Patch(ctx, build.statusPath(), map[string]any{"status": ended(now, nil)}); err != nil {
			return err
		}
	}
	return nil
}

// ended is the status of a build that succeeded, with more of it.
func ended(now time.Time, more map[string]any) map[string]any {
	status := map[string]any{
		"phase": "Succeeded", "reason": "Succeeded", "message": "Every tag was pushed.",
		"startTime": now.Add(-time.Minute), "completionTime": now,
		"commit": strings.Repeat("c0ffee00", 5), "digest": "sha256:" + strings.Repeat("c0ffee00", 8),
		"billing": map[string]any{"seconds": 60, "reportTime": now},
	}
	maps.Copy(status, more)
	return status
}

func (r *run) listBuilds(ctx context.Context) ([]object, error) {
	var list struct{ Items []object }
	err := r.kubernetes.List(ctx, "/apis/drydock.dev/v1alpha1/builds", &list)
	return list.Items, err
}
