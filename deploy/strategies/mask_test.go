package strategies_test

import (
	"bufio"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// frame is a script that has the first part of every strategy alone.
func frame(t *testing.T, then string) string {
	t.Helper()
	text, err := os.ReadFile("frame.sh")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + then
}

// awks are those of this machine that clusters have: Debian's mawk, Fedora's gawk, Alpine's
// busybox. Each is a folder with it as awk.
func awks(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{"mawk", "gawk", "busybox"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Logf("%s is not installed: not asked", name)
			continue
		}
		dir := t.TempDir()
		if err := os.Symlink(path, filepath.Join(dir, "awk")); err != nil {
			t.Fatal(err)
		}
		found[name] = dir
	}
	if len(found) == 0 {
		t.Fatal("no awk is installed")
	}
	return found
}

func TestMask(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir(), env: map[string]string{}}
	login := base64.StdEncoding.EncodeToString([]byte("ada:pass:word \\d"))
	b.env["DRYDOCK_SECRETS"] = b.write(filepath.Join(b.dir, "secrets"), map[string]string{
		"npm": "npm_AbC.*[x]$", "longer": "npm_AbC.*[x]$-and-more", "short": "abc", "lines": "first line\r\n  second\tline\n}\n", "quotes": `a"b\c&d'e`,
	})
	b.env["DRYDOCK_REGISTRY_LOGINS"] = b.write(filepath.Join(b.dir, "logins"), map[string]string{"host:5000": `{"auths":{"host:5000":{"auth":"` + login + `"}}}`})
	b.env["DRYDOCK_GIT_CREDENTIAL"] = b.write(filepath.Join(b.dir, "git"), map[string]string{"origin": "https://host", "username": "ada", "token": "gh-token"})
	sent := base64.StdEncoding.EncodeToString([]byte("ada:gh-token"))
	cases := []struct{ reason, in, want string }{
		{"what is no secret stays", "abc } ada host:5000 \x1b[1mbold\x1b[0m", "abc } ada host:5000 \x1b[1mbold\x1b[0m"},
		{"a secret is a text, not a pattern", "npm_AbC.*[x]$ npm_AbCzzz", "*** npm_AbCzzz"},
		{"as often as it is there", "npm_AbC.*[x]$npm_AbC.*[x]$,npm_AbC.*[x]$", "******,***"},
		{"the longer of two is taken whole", "(npm_AbC.*[x]$-and-more)", "(***)"},
		{"each line of several, whatever is around it", "\tsecond\tline; first line", "\t***; ***"},
		{"quotes and backslashes", `x=a"b\c&d'e`, "x=***"},
		{"a login's password, which may have colons", `password: pass:word \d`, "password: ***"},
		{"a login as it is sent", "Authorization: Basic " + login, "Authorization: Basic ***"},
		{"git's token, and as it is sent", "gh-token " + sent, "*** ***"},
	}
	var in, want strings.Builder
	for _, c := range cases {
		in.WriteString(c.in + "\n")
		want.WriteString(c.want + "\n")
	}
	in.WriteString("a last line without an end: gh-token")
	want.WriteString("a last line without an end: ***\n")
	b.write(b.dir, map[string]string{"in": in.String()})
	for name, dir := range awks(t) {
		t.Run(name, func(t *testing.T) {
			b.env["PATH"] = dir + ":" + os.Getenv("PATH")
			command, message := b.command(frame(t, "run cat "+filepath.Join(b.dir, "in")+"\n"+`fail BuildFailed "It broke: $(said) The token is gh-token."`))
			out, err := command.CombinedOutput()
			if command.ProcessState.ExitCode() != 1 {
				t.Fatalf("%v: %s", err, out)
			}
			got := strings.Split(string(out), "\n")
			for i, c := range cases {
				if got[i] != c.want {
					t.Errorf("%s: %q, want %q", c.reason, got[i], c.want)
				}
			}
			const told = "It broke: a last line without an end: ***. The token is ***."
			if want := want.String() + "==> BuildFailed: " + told + "\n"; string(out) != want {
				t.Errorf("printed %q, want %q", out, want)
			}
			text, err := os.ReadFile(message)
			if want := `{"commit":"","digest":"","tags":[],"bases":[],"reason":"BuildFailed","message":"` + told + `"}`; string(text) != want {
				t.Errorf("said %s (%v), want %s", text, err, want)
			}
		})
	}
}

// TestMaskOrNothing: where nothing can be masked, nothing is built.
func TestMaskOrNothing(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir(), env: map[string]string{}}
	b.env["DRYDOCK_SECRETS"] = b.write(filepath.Join(b.dir, "secrets"), map[string]string{"npm": "barracuda"})
	b.write(b.dir, map[string]string{"bin/awk": "#!/bin/sh\nexit 1\n"})
	b.env["PATH"] = filepath.Join(b.dir, "bin") + ":" + os.Getenv("PATH")
	command, message := b.command(frame(t, "run echo barracuda"))
	out, err := command.CombinedOutput()
	text, _ := os.ReadFile(message)
	if err == nil || strings.Contains(string(out), "barracuda") || !strings.Contains(string(text), `"reason":"InfrastructureFailure","message":"The build's secrets`) {
		t.Errorf("%v, printed %q, said %q", err, out, text)
	}
}

// TestEndWithoutAWord: a build whose script is ended by what it runs is a failed one; only
// who is asked to end leaves without a word.
func TestEndWithoutAWord(t *testing.T) {
	for _, test := range []struct{ reason, script, told string }{
		{"a tool that is killed", `digest=$(sh -c 'kill -9 $$')`, "BuildFailed"},
		{"a tool that is asked to end", `digest=$(sh -c 'kill $$'); true`, ""},
		{"this script is asked to end", "kill $$; run sleep 60", ""},
		{"what was said holds", "fail PushDenied no", "PushDenied"},
		{"success", "true", ""},
	} {
		b := &bench{t: t, dir: t.TempDir(), env: map[string]string{}}
		command, message := b.command(frame(t, test.script))
		out, _ := command.CombinedOutput()
		text, err := os.ReadFile(message)
		if err != nil || !strings.Contains(string(text), `"reason":"`+test.told+`"`) {
			t.Errorf("%s: said %s (%v), printed %q, want the reason %q", test.reason, text, err, out, test.told)
		}
	}
}

// TestMaskIsLive: a line is out as soon as it is printed, while the tool goes on.
func TestMaskIsLive(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir(), env: map[string]string{}}
	b.env["DRYDOCK_SECRETS"] = b.write(filepath.Join(b.dir, "secrets"), map[string]string{"npm": "barracuda"})
	for name, dir := range awks(t) {
		t.Run(name, func(t *testing.T) {
			b.env["PATH"] = dir + ":" + os.Getenv("PATH")
			command, _ := b.command(frame(t, `run sh -c 'echo barracuda; read answer <&3; echo "$answer"'`))
			answers, answer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Close() }()
			command.ExtraFiles = []*os.File{answers}
			out, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			if !lines.Scan() || lines.Text() != "***" {
				t.Errorf("the first line is %q", lines.Text())
			}
			if _, err := answer.WriteString("go on\n"); err != nil {
				t.Fatal(err)
			}
			if !lines.Scan() || lines.Text() != "go on" {
				t.Errorf("the second line is %q", lines.Text())
			}
			if err := command.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMaskLongLog masks 100,000 lines by this machine's awk, fewer by the others, and tells how
// quick that was.
func TestMaskLongLog(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir(), env: map[string]string{}}
	secrets := map[string]string{"key": strings.Repeat("a line of a key that has many of them\n", 27)}
	for i := range 20 {
		secrets["s"+string(rune('a'+i))] = strings.Repeat(string(rune('a'+i)), 40)
	}
	b.env["DRYDOCK_SECRETS"] = b.write(filepath.Join(b.dir, "secrets"), secrets)
	line := "a line as logs have them, of about a hundred characters, with " + strings.Repeat("c", 40) + " in its middle\n"
	folders := awks(t)
	folders["awk"] = b.dir
	for name, dir := range folders {
		t.Run(name, func(t *testing.T) {
			count := 10_000
			if name == "awk" {
				count = 100_000
			}
			b.write(b.dir, map[string]string{"in": strings.Repeat(line, count)})
			b.env["PATH"] = dir + ":" + os.Getenv("PATH")
			command, _ := b.command(frame(t, "run cat "+filepath.Join(b.dir, "in")))
			start := time.Now()
			out, err := command.Output()
			t.Logf("%d lines, %d MB, %d secrets: %s", count, len(line)*count>>20, len(secrets), time.Since(start).Round(time.Millisecond))
			if want := strings.ReplaceAll(line, strings.Repeat("c", 40), "***"); err != nil || string(out) != strings.Repeat(want, count) {
				t.Errorf("%v: %d bytes came out", err, len(out))
			}
		})
	}
}
