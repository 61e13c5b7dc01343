package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// isolate makes this mount namespace private and puts the mounts into it; the host's file system is not touched.
func isolate(mounts []Mount, scratch string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// Sources are cloned before anything is mounted: a mount may hide their paths.
	sources := make([]int, len(mounts))
	for i, mount := range mounts {
		source, err := unix.OpenTree(unix.AT_FDCWD, mount.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			return fmt.Errorf("open volume for %s: %w", mount.Target, err)
		}
		sources[i] = source
	}
	order := make([]int, len(mounts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { // outer before inner
		return strings.Count(mounts[a].Target, "/") - strings.Count(mounts[b].Target, "/")
	})
	// Room is made for all before the first is mounted: a mount may hide the scratch directory too.
	v := &view{scratch: scratch}
	for _, step := range []func(int, Mount) error{v.makeRoom, v.bind} {
		for _, i := range order {
			if err := step(sources[i], mounts[i]); err != nil {
				return fmt.Errorf("mount %s: %w", mounts[i].Target, err)
			}
		}
	}
	for _, source := range sources {
		_ = unix.Close(source)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// view is the file system of one container while it is being made.
type view struct {
	scratch string   // empty directory to assemble shadows in
	volumes []string // real paths of the volumes
}

// makeRoom makes the target of a mount where it is missing: in a shadow of its deepest existing directory, never in that
// directory itself. A target in another volume is left to bind.
func (v *view) makeRoom(source int, mount Mount) error {
	real, missing, err := resolve(mount.Target)
	if err != nil {
		return err
	}
	target := filepath.Join(append([]string{real}, missing...)...)
	if missing != nil && !v.inVolume(real) {
		if err := shadow(real, v.scratch); err != nil {
			return fmt.Errorf("shadow %s: %w", real, err)
		}
		if err := makeTarget(target, source); err != nil {
			return err
		}
	}
	v.volumes = append(v.volumes, target)
	return nil
}

// bind puts a mount in its place. In a volume the mount point of another is made as Kubernetes does it, in that volume.
func (v *view) bind(source int, mount Mount) error {
	real, missing, err := resolve(mount.Target)
	if err != nil {
		return err
	}
	target := filepath.Join(append([]string{real}, missing...)...)
	if missing != nil {
		if !v.inVolume(real) {
			return fmt.Errorf("%s is not there", target)
		}
		if err := makeTarget(target, source); err != nil {
			return err
		}
	}
	if err := unix.MoveMount(source, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return err
	}
	if !mount.ReadOnly {
		return nil
	}
	return unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

// makeTarget makes the mount point of a source, a directory or a file.
func makeTarget(target string, source int) error {
	var status unix.Stat_t
	if err := unix.Fstat(source, &status); err != nil {
		return err
	}
	if status.Mode&unix.S_IFMT == unix.S_IFDIR {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, nil, 0o644)
}

func (v *view) inVolume(path string) bool {
	return slices.ContainsFunc(v.volumes, func(volume string) bool {
		return path == volume || strings.HasPrefix(path, volume+"/")
	})
}

// resolve splits a path into its deepest existing part, without symbolic links, and the missing rest.
func resolve(path string) (real string, missing []string, err error) {
	path = filepath.Clean(path)
	for {
		real, err = filepath.EvalSymlinks(path)
		if err == nil {
			return real, missing, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
		missing = append([]string{filepath.Base(path)}, missing...)
		path = filepath.Dir(path)
	}
}

// shadow covers a directory with a tmpfs in which every entry of the directory appears again, as itself.
func shadow(dir, scratch string) error {
	var status unix.Statfs_t
	if err := unix.Statfs(filepath.Join(dir, shadowMark), &status); err == nil {
		return nil // has one already
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if err := unix.Mount("kubestack", scratch, "tmpfs", 0, fmt.Sprintf("mode=%o", info.Mode().Perm())); err != nil {
		return err
	}
	// Unbindable, or copying "/" would copy the copy.
	if err := unix.Mount("", scratch, "", unix.MS_UNBINDABLE, ""); err != nil {
		return err
	}
	for _, entry := range entries {
		if err := mirror(filepath.Join(dir, entry.Name()), filepath.Join(scratch, entry.Name()), entry.Type()); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(scratch, shadowMark), 0o700); err != nil {
		return err
	}
	if err := unix.Mount("", scratch, "", unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if dir == "/" {
		return changeRoot(scratch)
	}
	return unix.Mount(scratch, dir, "", unix.MS_MOVE, "")
}

// shadowMark is a directory that says that the directory around it is a shadow.
const shadowMark = ".kubestack"

// mirror makes original appear at copy.
func mirror(original, copy string, kind fs.FileMode) error {
	var err error
	switch {
	case kind&fs.ModeSymlink != 0:
		var target string
		if target, err = os.Readlink(original); err == nil {
			return os.Symlink(target, copy)
		}
	case kind.IsDir():
		if err = os.Mkdir(copy, 0o755); err == nil {
			err = unix.Mount(original, copy, "", unix.MS_BIND|unix.MS_REC, "")
		}
	default:
		if err = os.WriteFile(copy, nil, 0o644); err == nil {
			err = unix.Mount(original, copy, "", unix.MS_BIND, "")
		}
	}
	if errors.Is(err, fs.ErrNotExist) { // went away while we looked
		return nil
	}
	return err
}

// changeRoot makes a complete copy of "/" the root of this process.
func changeRoot(root string) error {
	old := filepath.Join(root, shadowMark)
	if err := unix.PivotRoot(root, old); err != nil {
		return fmt.Errorf("pivot root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return unix.Unmount("/"+shadowMark, unix.MNT_DETACH)
}

// probe tries in new namespaces what isolate needs, and returns 0 when it works.
func probe() int {
	if err := isolate(nil, ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
