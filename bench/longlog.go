package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/e2e/client"
)

// lineMark is what no other line of the log has.
func lineMark(number int) string { return fmt.Sprintf("[%06d]", number) }

// keepLongLog starts a build and writes its log, of lines of 100 bytes with color, and its end as a controller would: the
// build's id.
func (r *run) keepLongLog(ctx context.Context, c *client.Client) (id string, err error) {
	id, path, err := r.freshBuild(ctx, c)
	if err != nil {
		return "", err
	}
	build := strings.TrimSuffix(path, "/status")
	namespace, name, found := strings.Cut(strings.TrimPrefix(build, buildsPath), "/builds/")
	if !found {
		return "", errors.New("no path of a build: " + path)
	}
	keep := func(chunk *v1alpha1.LogChunk) error {
		return r.kubernetes.Create(ctx, "/api/v1/namespaces/"+namespace+"/configmaps", map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata":   map[string]any{"name": chunk.Name, "annotations": map[string]string{v1alpha1.AnnotationLogContainer: chunk.Container}},
			"binaryData": map[string][]byte{v1alpha1.LogKey: chunk.Data},
		})
	}
	var packer v1alpha1.LogPacker
	now, filler := time.Now(), strings.Repeat("layer ", 12)
	for i := range r.lines {
		line := v1alpha1.LogLine{Time: now.Add(time.Duration(i) * time.Millisecond), Text: "\x1b[32m" + lineMark(i+1) + "\x1b[0m " + filler + "=>ok"}
		if full := packer.Add(name, "build", line); full != nil {
			if err := keep(full); err != nil {
				return "", err
			}
		}
	}
	if err := keep(packer.Open()); err != nil {
		return "", err
	}
	return id, r.kubernetes.Patch(ctx, path, map[string]any{"status": ended(now, map[string]any{"log": packer.Status()})})
}
