package check

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// root is the folder of the repository.
var root = filepath.Join("..", "..")

// secrets are what deploy/demo/env.sh makes, with values that are easy to find.
var secrets = []string{
	"MONGODB_ROOT_PASSWORD=secret-one", "MONGODB_PASSWORD=secret-two", "MONGODB_URI=secret-three", "GRAFANA_PASSWORD=secret-four",
}

// load reads the compose file as docker compose does, with all profiles.
func load(t *testing.T, environment []string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithEnv(environment), cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

func mustLoad(t *testing.T) *types.Project {
	t.Helper()
	project, err := load(t, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestServices(t *testing.T) {
	project := mustLoad(t)
	for _, name := range []string{"mongodb", "policy-seed", "server-monitor", "prometheus", "alertmanager", "loki", "alloy", "grafana"} {
		if _, ok := project.Services[name]; !ok {
			t.Errorf("no service %s", name)
		}
	}
	for name, service := range project.Services {
		lintImage(t, name, &service)
		lintHealth(t, name, &service)
		lintLimits(t, name, &service)
		lintPrivileges(t, name, &service)
		for _, volume := range service.Volumes {
			lintMount(t, name, volume)
		}
		for _, port := range service.Ports {
			if address, err := netip.ParseAddr(port.HostIP); err != nil || !address.IsLoopback() {
				t.Errorf("%s publishes %s on %q", name, port.Published, port.HostIP)
			}
		}
		for other, dependency := range service.DependsOn {
			lintDependency(t, project, name, other, dependency.Condition)
		}
	}
}

var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?[0-9]+\.[0-9]+\.[0-9]+$`)

// lintImage requires a whole version, of images that are not built here.
func lintImage(t *testing.T, name string, service *types.ServiceConfig) {
	t.Helper()
	if service.Build == nil {
		if !pinned.MatchString(service.Image) {
			t.Errorf("%s: the image %s is not pinned", name, service.Image)
		}
		return
	}
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), " AS "+service.Build.Target+"\n") {
		t.Errorf("%s: the Dockerfile has no target %s", name, service.Build.Target)
	}
}

// lintHealth requires a health check of every service that stays and serves.
// "docker compose up --wait" waits in vain for one that stays and whose check is
// disabled, so samples, which nobody can ask, have none.
func lintHealth(t *testing.T, name string, service *types.ServiceConfig) {
	t.Helper()
	check := service.HealthCheck
	switch ends := service.Restart == "no" && !strings.HasPrefix(name, "sample-"); {
	case ends && (check == nil || !check.Disable):
		t.Errorf("%s ends, and its image is asked for its health", name)
	case strings.HasPrefix(name, "sample-") && check != nil:
		t.Errorf("%s has a health check", name)
	case !ends && !strings.HasPrefix(name, "sample-") && (check == nil || check.Disable || len(check.Test) < 2):
		t.Errorf("%s has no health check", name)
	}
}

func lintLimits(t *testing.T, name string, service *types.ServiceConfig) {
	t.Helper()
	if service.MemLimit == 0 || service.CPUS == 0 || service.PidsLimit == 0 || service.Restart == "" || service.Logging == nil {
		t.Errorf("%s lacks a limit of memory, CPU, processes or logs, or says nothing of restarts", name)
	}
}

// lintPrivileges leaves the host to server-monitor, and new privileges to
// nobody but it.
func lintPrivileges(t *testing.T, name string, service *types.ServiceConfig) {
	t.Helper()
	watcher := name == "server-monitor"
	if service.Privileged || (service.Pid != "") != watcher || (service.NetworkMode == "host") != watcher {
		t.Errorf("%s: privileged %v, pid %q, network %q", name, service.Privileged, service.Pid, service.NetworkMode)
	}
	if slices.Contains(service.SecurityOpt, "no-new-privileges=true") == watcher {
		t.Errorf("%s: %v", name, service.SecurityOpt)
	}
	if name != "mongodb" && !slices.Contains(service.CapDrop, "ALL") {
		t.Errorf("%s keeps the capabilities of Docker", name)
	}
}

// lintMount requires that mounted files of the repository exist, and that those
// of the host are mounted for reading.
func lintMount(t *testing.T, name string, volume types.ServiceVolumeConfig) {
	t.Helper()
	if volume.Type != types.VolumeTypeBind {
		return
	}
	if !volume.ReadOnly {
		t.Errorf("%s may write to %s", name, volume.Source)
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(volume.Source, here+string(filepath.Separator)) {
		if _, err := os.Stat(volume.Source); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lintDependency requires that what is waited for can come about.
func lintDependency(t *testing.T, project *types.Project, name, other, condition string) {
	t.Helper()
	service, ok := project.Services[other]
	switch {
	case !ok:
		t.Errorf("%s waits for %s, which is not there", name, other)
	case condition == types.ServiceConditionHealthy && (service.HealthCheck == nil || service.HealthCheck.Disable):
		t.Errorf("%s waits for the health of %s, which has no check", name, other)
	case condition == types.ServiceConditionCompletedSuccessfully && service.Restart != "no":
		t.Errorf("%s waits for the end of %s, which is started again", name, other)
	}
}

// TestSecrets checks that the stack does not start without passwords, and that
// they are nowhere but where .env puts them.
func TestSecrets(t *testing.T) {
	for i, missing := range secrets {
		if _, err := load(t, slices.Delete(slices.Clone(secrets), i, i+1)); err == nil {
			t.Errorf("the stack starts without %s", missing)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile(`(?m)^\s*[A-Z_]*(PASSWORD|SECRET|TOKEN|URI)[A-Z_]*[ \t]*[:=][ \t]*([^$\s].*)$`)
	for _, found := range inline.FindAllString(string(text), -1) {
		t.Errorf("a secret in the file: %s", strings.TrimSpace(found))
	}
	for name, service := range mustLoad(t).Services {
		for _, word := range append(slices.Clone(service.Command), service.Entrypoint...) {
			if strings.Contains(word, "secret-") {
				t.Errorf("%s: a secret on the command line, which all users see", name)
			}
		}
	}
}

// TestEnvironmentScript checks that the script makes the secrets, once, for its
// owner alone.
func TestEnvironmentScript(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(root, "deploy", "demo", "env.sh"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "deploy", "demo", "env.sh")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, script, 0o755); err != nil {
		t.Fatal(err)
	}
	first := runScript(t, path, folder)
	for _, secret := range secrets {
		name, _, _ := strings.Cut(secret, "=")
		if !regexp.MustCompile(`(?m)^` + name + `=\S{40,}$`).MatchString(first) {
			t.Errorf("no %s of enough letters in:\n%s", name, first)
		}
	}
	if second := runScript(t, path, folder); second != first {
		t.Error("a second run changes the passwords")
	}
}
