package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"broadsheet/internal/newsroomtest"
)

// No container engine runs where this is tested, so the image is taken apart: its build step
// has to be "make build", and what it sets and starts has to work in a plain folder.
func TestDockerfile_FinalStageServesAndIsHealthy(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file := dockerfile(t, filepath.Join(root, "Dockerfile"))
	if !strings.HasPrefix(file.first("build", "RUN make"), "RUN make build ") {
		t.Errorf("the image is built by %q", file.first("build", "RUN make"))
	}
	for _, want := range []string{"VOLUME /data", "USER broadsheet", `ENTRYPOINT ["broadsheet"]`, `CMD ["serve"]`} {
		if file.first("final", want) != want {
			t.Errorf("the final stage lacks %s", want)
		}
	}
	if !strings.Contains(file.first("final", "HEALTHCHECK"), `CMD ["broadsheet", "serve", "--check"]`) {
		t.Errorf("the health check is %q", file.first("final", "HEALTHCHECK"))
	}

	data := t.TempDir()
	p := newProgram(t)
	p.dir = data
	for _, env := range file.stages["final"] {
		if value, ok := strings.CutPrefix(env, "ENV "); ok {
			value = strings.ReplaceAll(value, "/data/", data+"/")
			// Port 8080 may be taken on a machine that runs tests.
			p.env = append(p.env, strings.Replace(value, "LISTEN=:8080", "LISTEN=:0", 1))
		}
	}
	_, printed := p.start("serve")
	newsroomtest.Until(t.Context(), t, "it serves", func() bool { return strings.Contains(printed.String(), "msg=serving") })
	address, _, _ := strings.Cut(printed.after("msg=serving address=http://"), " ")
	p.env = append(p.env, settingPrefix+"LISTEN="+address[strings.LastIndexByte(address, ']')+1:])
	if out := p.run("serve", "--check"); !strings.Contains(out, "is well") {
		t.Errorf("the health check says %s", out)
	}
	if _, err := os.Stat(filepath.Join(data, "broadsheet.db")); err != nil {
		t.Errorf("the database is not in the volume: %v", err)
	}
}

// Building it once more with other flags would take minutes, so the command is looked at.
func TestMakeBuild_StampsTheVersion(t *testing.T) {
	t.Parallel()
	build := exec.CommandContext(t.Context(), "make", "-n", "build", "VERSION=v9.8.7", "COMMIT=abc")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"go build -trimpath", "-X main.version=v9.8.7", "-X main.commit=abc", "-o bin/broadsheet ./cmd/broadsheet"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make build does not say %q:\n%s", want, out)
		}
	}
}

// image is a Dockerfile by its stages.
type image struct{ stages map[string][]string }

// first returns the stage's first line with the prefix.
func (i image) first(stage, prefix string) string {
	for _, line := range i.stages[stage] {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

func dockerfile(t *testing.T, name string) image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i := image{map[string][]string{}}
	stage := ""
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if strings.HasPrefix(line, "FROM ") {
			stage = "final"
			if strings.HasSuffix(line, " AS build") {
				stage = "build"
			}
		}
		i.stages[stage] = append(i.stages[stage], line)
	}
	return i
}
