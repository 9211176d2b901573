package check

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// read reads a YAML file of deploy/ into a value, without keys used twice.
func read(t *testing.T, into any, path ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root, "deploy"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
}

func TestYAML(t *testing.T) {
	err := filepath.WalkDir(filepath.Join(root, "deploy"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".yml") {
			name, _ := filepath.Rel(filepath.Join(root, "deploy"), path)
			var value map[string]any
			read(t, &value, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dataSources are what Grafana is given.
type dataSources struct {
	Datasources []struct {
		UID, Type, URL string
		JSONData       struct {
			TimeInterval string `yaml:"timeInterval"`
		} `yaml:"jsonData"`
	}
}

// TestGrafana checks that the time interval is the interval of the scrapes, and
// that data sources and dashboards are where the stack has them.
func TestGrafana(t *testing.T) {
	var sources dataSources
	read(t, &sources, "grafana", "provisioning", "datasources", "datasources.yml")
	var prometheus struct {
		Global struct {
			ScrapeInterval string `yaml:"scrape_interval"`
		}
	}
	read(t, &prometheus, "prometheus", "prometheus.yml")
	project := mustLoad(t)
	for _, source := range sources.Datasources {
		host, _, _ := strings.Cut(strings.TrimPrefix(source.URL, "http://"), ":")
		if _, ok := project.Services[host]; !ok {
			t.Errorf("%s: no service %s", source.UID, host)
		}
		if source.Type == "prometheus" && source.JSONData.TimeInterval != prometheus.Global.ScrapeInterval {
			t.Errorf("time interval %q, scrapes every %q", source.JSONData.TimeInterval, prometheus.Global.ScrapeInterval)
		}
	}
	if _, err := time.ParseDuration(prometheus.Global.ScrapeInterval); err != nil {
		t.Error(err)
	}
	var provider struct {
		Providers []struct{ Options struct{ Path string } }
	}
	read(t, &provider, "grafana", "provisioning", "dashboards", "dashboards.yml")
	grafana := project.Services["grafana"]
	for _, volume := range grafana.Volumes {
		if volume.Target == provider.Providers[0].Options.Path {
			skinned := filepath.Base(volume.Source) == "skinned"
			off := grafana.Environment["GF_PANELS_DISABLE_SANITIZE_HTML"]
			if skinned != (off != nil && *off == "true") {
				t.Error("the skin is for a Grafana that does not sanitize text panels, and for no other")
			}
			return
		}
	}
	t.Errorf("nothing is mounted at %s", provider.Providers[0].Options.Path)
}

// TestNames checks that metrics and logs of the stack call the server alike.
func TestNames(t *testing.T) {
	var prometheus struct {
		ScrapeConfigs []struct {
			JobName       string `yaml:"job_name"`
			StaticConfigs []struct {
				Targets []string
				Labels  map[string]string
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	read(t, &prometheus, "prometheus", "prometheus.yml")
	project := mustLoad(t)
	target := prometheus.ScrapeConfigs[0].StaticConfigs[0]
	if name := project.Services["alloy"].Environment["SERVER_MONITOR_HOST"]; name == nil || *name != target.Labels["instance"] {
		t.Errorf("Prometheus calls the server %q, Alloy another name", target.Labels["instance"])
	}
	listens := "--web.listen-address=" + target.Targets[0]
	if !slices.Contains(project.Services["server-monitor"].Command, listens) {
		t.Errorf("server-monitor does not listen at %s", target.Targets[0])
	}
	network := project.Networks["demo"].Ipam.Config[0]
	if !strings.HasPrefix(target.Targets[0], network.Gateway+":") {
		t.Errorf("the host is %s in the network of the stack, not %s", network.Gateway, target.Targets[0])
	}
	script, err := os.ReadFile(filepath.Join(root, "deploy", "demo", "env.sh"))
	if err != nil {
		t.Fatal(err)
	}
	if address := project.Services["mongodb"].Networks["demo"].Ipv4Address; !strings.Contains(string(script), "@"+address+":27017") {
		t.Errorf("the URI of env.sh does not lead to %s", address)
	}
}
