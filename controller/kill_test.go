package controller_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"drydock.dev/drydock/api/v1alpha1"
	"drydock.dev/drydock/controller"
)

// TestKilled runs the real binary twice, kills the leader in the middle of many
// builds, and the next one too: the last one ends them all, and then itself, cleanly.
func TestKilled(t *testing.T) {
	const count = 8
	w := newWorld(t)
	binary := program(t, "../cmd/controller")
	image := w.image("app", func(image *v1alpha1.Image) {
		image.Spec.Source.Repository = w.git.runs("sleep", `["/helper", "sleep", "1500"]`)
	})
	first := w.launchBinary(binary)
	w.eventually("the first leads", func() bool { return strings.Contains(get(first.url+"/readyz"), `"leading":true`) })
	second := w.launchBinary(binary)
	for number := range int64(count) {
		w.build(image, number+1, func(b *v1alpha1.Build) { b.Spec.Limits.ConcurrentBuilds = 3 })
	}
	some := func(phase v1alpha1.BuildPhase) func() bool {
		return func() bool {
			for _, build := range w.builds() {
				if build.Status.Phase == phase {
					return true
				}
			}
			return false
		}
	}
	w.eventually("builds run", some(v1alpha1.PhaseRunning))
	first.kill()
	w.eventually("builds end", some(v1alpha1.PhaseSucceeded))
	third := w.launchBinary(binary)
	second.kill()
	for _, build := range w.builds() {
		if status := w.await(&build, "billed", billed).Status; status.Phase != v1alpha1.PhaseSucceeded {
			t.Errorf("build %s: %+v", build.Name, status)
		}
	}
	w.settled()

	if report := get(third.url + "/readyz"); report != `{"ready":true,"leading":true,"checks":{"billing":"ok","kubernetes":"ok","notices":"ok"}}`+"\n" {
		t.Errorf("/readyz says %s", report)
	}
	if text := get(third.url + "/metrics"); !strings.Contains(text, `drydock_builds_ended_total{phase="Succeeded",reason="Pushed"}`) || !strings.Contains(text, "controller_runtime_reconcile_total") {
		t.Errorf("/metrics lacks the builds or the reconciles")
	}
	if get(third.url+"/livez") != "ok\n" {
		t.Error("/livez is not ok")
	}
	third.end()
	var lease coordinationv1.Lease
	if err := w.kube.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.SystemNamespace, Name: controller.LeaseName}, &lease); err != nil {
		t.Fatal(err)
	}
	if holder := lease.Spec.HolderIdentity; holder != nil && *holder != "" {
		t.Errorf("the lease is still held by %s", *holder)
	}
}

// TestStandby: a controller that stands by is ready, and asks Stripe nothing; it reads
// what it needs once it leads.
func TestStandby(t *testing.T) {
	w := newWorld(t)
	binary := program(t, "../cmd/controller")
	first := w.launchBinary(binary)
	w.eventually("the first leads", func() bool {
		return get(first.url+"/readyz") == `{"ready":true,"leading":true,"checks":{"billing":"ok","kubernetes":"ok","notices":"ok"}}`+"\n"
	})
	w.stripe.ResetRequests()
	const plans = "GET /v1/products"
	second := w.launchBinary(binary)
	w.eventually("the second stands by", func() bool {
		return get(second.url+"/readyz") == `{"ready":true,"leading":false,"checks":{"kubernetes":"ok","notices":"ok"}}`+"\n"
	})
	if got := w.stripe.Requests()[plans]; got != 0 {
		t.Errorf("the one that stands by asked Stripe for plans %d times", got)
	}
	first.kill()
	w.eventually("the second leads, and has read the plans", func() bool {
		return strings.Contains(get(second.url+"/readyz"), `{"ready":true,"leading":true`) && w.stripe.Requests()[plans] > 0
	})
}

// programs are those that were built, in a folder that goes when all tests are through.
var programs struct {
	sync.Mutex
	dir   string
	built map[string]string
}

// program builds a main package of this module, once for all tests.
func program(t *testing.T, main string) (binary string) {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if binary, ok := programs.built[main]; ok {
		return binary
	}
	binary = filepath.Join(programs.dir, fmt.Sprint("program", len(programs.built)))
	if out, err := exec.Command("go", "build", "-o", binary, main).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	programs.built[main] = binary
	return binary
}

// process is a running drydock-controller.
type process struct {
	t       *testing.T
	command *exec.Cmd
	url     string
}

var listening = regexp.MustCompile(`msg="the controller starts" metrics=(\S+)`)

// launchBinary starts a controller; later flags win over its own.
func (w *world) launchBinary(binary string, flags ...string) *process {
	w.t.Helper()
	own := []string{"--strategy", "buildah", "--metrics-listen", "127.0.0.1:0", "--lease-duration", "6s"}
	command := exec.Command(binary, append(own, flags...)...)
	command.Env = w.environment()
	stderr, err := command.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		w.t.Fatal(err)
	}
	p := &process{t: w.t, command: command}
	w.t.Cleanup(p.kill)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			p.url = "http://" + match[1]
			go func() { _, _ = io.Copy(w.t.Output(), stderr) }()
			return p
		}
	}
	w.t.Fatalf("the controller did not start: %v", command.Wait())
	return nil
}

// environment leads a program of ours to the world.
func (w *world) environment() []string {
	return append(os.Environ(), "KUBECONFIG="+w.kubeconfig, "STRIPE_SECRET_KEY=sk_test_controller", "STRIPE_API_BASE="+w.stripeURL)
}

// kill is kill -9.
func (p *process) kill() {
	if p.command.ProcessState == nil {
		_ = p.command.Process.Kill()
		_ = p.command.Wait() // it was killed, so an error
	}
}

// end asks for a clean end.
func (p *process) end() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		p.t.Errorf("the controller ended with %v", err)
	}
}

func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
