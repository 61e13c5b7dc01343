package node

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"drydock.dev/drydock/kubestack/shim"
)

const retryVolumes = time.Second

// prepareVolumes makes the pod's volumes and returns their paths by name. It tries again until the Secrets and ConfigMaps they
// need are there; false when the pod ended first. Contents are of the pod's start: they do not follow later changes.
func (p *pod) prepareVolumes() (map[string]string, bool) {
	paths := map[string]string{}
	for _, volume := range p.current().Spec.Volumes {
		for {
			if p.term.Err() != nil {
				return nil, false
			}
			path, err := p.prepareVolume(volume)
			if err == nil {
				paths[volume.Name] = path
				break
			}
			p.event(corev1.EventTypeWarning, "FailedMount", "MountVolume.SetUp failed for volume %q: %v", volume.Name, err)
			p.sleep(retryVolumes)
		}
	}
	return paths, p.term.Err() == nil
}

func (p *pod) prepareVolume(volume corev1.Volume) (string, error) {
	if source := volume.HostPath; source != nil {
		return source.Path, prepareHostPath(source)
	}
	dir := p.path("volumes", volume.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if volume.EmptyDir != nil {
		return dir, os.Chmod(dir, 0o777) //nolint:gosec // as the kubelet does: any user of the pod's containers may write
	}
	files, err := p.volumeFiles(volume)
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if err := file.write(dir); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func prepareHostPath(source *corev1.HostPathVolumeSource) error {
	kind := corev1.HostPathUnset
	if source.Type != nil {
		kind = *source.Type
	}
	switch kind {
	case corev1.HostPathDirectoryOrCreate:
		return os.MkdirAll(source.Path, 0o755)
	case corev1.HostPathFileOrCreate:
		file, err := os.OpenFile(source.Path, os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		return file.Close()
	default:
		_, err := os.Stat(source.Path)
		return err
	}
}

// volumeFile is one file of a Secret, ConfigMap, downward API or projected volume.
type volumeFile struct {
	path string // below the volume
	data []byte
	mode fs.FileMode
}

func (f volumeFile) write(dir string) error {
	target := filepath.Join(dir, filepath.FromSlash(path.Clean("/"+f.path)))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	// A new file each time: readers of the old one, a token perhaps, keep it whole.
	temporary := target + ".new"
	if err := os.WriteFile(temporary, f.data, f.mode); err != nil {
		return err
	}
	if err := os.Chmod(temporary, f.mode); err != nil { // whatever the umask is
		return err
	}
	return os.Rename(temporary, target)
}

// removeVolumes removes what the pod's containers can no longer read; logs stay until the pod is deleted.
func (p *pod) removeVolumes() {
	for _, dir := range []string{p.path("volumes")} {
		if err := os.RemoveAll(dir); err != nil {
			p.node.log.Warn("remove volumes", "error", err)
		}
	}
	for _, c := range p.containers {
		if err := os.RemoveAll(c.path("work")); err != nil {
			p.node.log.Warn("remove working directory", "error", err)
		}
	}
}

// mounts are the container's volume mounts, and its termination log in its place.
func (c *container) mounts(env environment) ([]shim.Mount, error) {
	mounts := []shim.Mount{{Source: c.terminationFile(), Target: c.spec.TerminationMessagePath}}
	if c.spec.TerminationMessagePath == "" {
		mounts = nil
	}
	for _, mount := range c.spec.VolumeMounts {
		source, ok := c.volumes[mount.Name]
		if !ok {
			return nil, fmt.Errorf("volumeMount %s has no volume", mount.Name)
		}
		sub := mount.SubPath
		if mount.SubPathExpr != "" {
			sub = env.expand(mount.SubPathExpr)
		}
		if sub != "" {
			if slices.Contains(filepath.SplitList(sub), "..") || !filepath.IsLocal(sub) {
				return nil, configError{fmt.Errorf("subPath %q leaves the volume", sub)}
			}
			source = filepath.Join(source, sub)
			if _, err := os.Stat(source); os.IsNotExist(err) {
				if err := os.MkdirAll(source, 0o777); err != nil {
					return nil, configError{err}
				}
			}
		}
		mounts = append(mounts, shim.Mount{Source: source, Target: path.Join("/", mount.MountPath), ReadOnly: mount.ReadOnly})
	}
	return mounts, nil
}
