// Package shim is the first process of a container: it makes the container's view of the file system, starts the command in
// a session of its own, passes signals on, reaps what the command leaves behind, and ends with the command's exit code.
//
// With root it is process 1 of a PID namespace, so that the kernel ends every descendant with it, and it has a mount
// namespace, so that volumes are where the pod wants them. Without root it is a subreaper and finds descendants by /proc.
package shim

// Command is the first argument that makes this binary a shim.
const Command = "container"

// Files the shim inherits besides its standard streams.
const (
	specFile   = 3 // the Spec as JSON; then held open by the node: its end means that the node is gone, or wants an end now
	reportFile = 4 // one Report as JSON, then closed
)

// Spec says what to run. The node writes it, the shim reads it.
type Spec struct {
	Args       []string // program and arguments; a program without a slash is looked up in Env's PATH
	Env        []string // KEY=value, complete
	Dir        string   // working directory
	WorkingDir string   // working directory wished for by the pod: taken when it exists in the container
	Isolated   bool     // own PID and mount namespaces; the node has made them
	Mounts     []Mount  // only when isolated
	Scratch    string   // empty directory to assemble mounts in
}

// Mount makes a file or directory of the host appear at Target in the container, whether Target exists on the host or not.
type Mount struct {
	Source   string
	Target   string // absolute
	ReadOnly bool
}

// Report says whether the command started.
type Report struct {
	Error string `json:",omitempty"` // why it did not start; empty when it did
	Group int    `json:",omitempty"` // process group of the command, unless it is in a namespace of its own
}

// StartFailed is the exit code of a shim whose command did not start.
const StartFailed = 128
