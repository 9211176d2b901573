package mongotest

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/token"
)

// startAPI builds and starts the program over a database, and returns the address
// of its operator listener.
func startAPI(t *testing.T, uri, tokenFile string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "server-monitor")
	build := exec.Command("go", "build", "-o", binary, "./exporter")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, "--operator.print-link", "--operator.token-file="+tokenFile,
		"--operator.listen-address=127.0.0.1:0", "--web.listen-address=127.0.0.1:0")
	cmd.Env = append(os.Environ(), "SERVER_MONITOR_POLICY_MONGODB_URI="+uri)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	url, _, ok := strings.Cut(strings.TrimPrefix(line, "Console: "), "/#")
	if err != nil || !ok {
		t.Fatalf("the program prints %q, %v", line, err)
	}
	return url
}

// TestPolicyOverHTTP changes documents of a real database over the API of the
// running program.
func TestPolicyOverHTTP(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	file := token.File{Path: filepath.Join(t.TempDir(), "tokens.json")}
	secret, _, err := file.Create("admin", token.Admin, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	url := startAPI(t, server.URI(), file.Path)
	call := func(want int, method, path, body string, headers ...string) (tag, text string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url+"/api/v1/policies"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		got, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != want {
			t.Errorf("%s %s: %d %s, %v, want %d", method, path, answer.StatusCode, got, err, want)
		}
		return answer.Header.Get("ETag"), string(got)
	}
	const document = `{"category":"utility","description":"Ours.","description_i18n":{"en":"Ours.","ko":"우리 것입니다."},"policy":{"is_system":false,"terminatable":true,"reason":""}}`
	first, _ := call(http.StatusCreated, "PUT", "/linux/job", document, "If-None-Match", "*")
	call(http.StatusPreconditionFailed, "PUT", "/linux/job", document, "If-None-Match", "*")
	call(http.StatusPreconditionRequired, "PUT", "/linux/job", document)
	if tag, text := call(http.StatusOK, "GET", "/linux/job", ""); tag != first || !strings.Contains(text, `"source":"mongodb"`) {
		t.Errorf("ETag %s, want %s: %s", tag, first, text)
	}
	var list struct {
		Total    int
		Writable bool
	}
	_, text := call(http.StatusOK, "GET", "?source=mongodb", "") // holds at once, not at the next refresh
	if err := json.Unmarshal([]byte(text), &list); err != nil || list.Total != 1 || !list.Writable {
		t.Errorf("list %s, %v", text, err)
	}
	// Another administrator is faster, with mongosh.
	if _, err := shell(t, server.URI()).Collection(policy.KnownProcesses).UpdateOne(t.Context(), bson.D{{Key: "name", Value: "job"}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "policy.reason", Value: "theirs"}}}}); err != nil {
		t.Fatal(err)
	}
	call(http.StatusPreconditionFailed, "PUT", "/linux/job", document, "If-Match", first)
	call(http.StatusPreconditionFailed, "DELETE", "/linux/job", "", "If-Match", first)
	second, text := call(http.StatusOK, "GET", "/linux/job", "")
	if !strings.Contains(text, "theirs") {
		t.Errorf("answer %s", text)
	}
	third, _ := call(http.StatusOK, "PUT", "/linux/job", document, "If-Match", second)
	call(http.StatusUnprocessableEntity, "PUT", "/linux/job", strings.Replace(document, "{", `{"paths":["nonsense"],`, 1), "If-Match", third)
	call(http.StatusNoContent, "DELETE", "/linux/job", "", "If-Match", third)
	call(http.StatusNotFound, "GET", "/linux/job", "")
	call(http.StatusConflict, "DELETE", "/linux/sshd", "", "If-Match", "*")

	server.Stop()
	call(http.StatusServiceUnavailable, "PUT", "/linux/job", document, "If-None-Match", "*")
	call(http.StatusOK, "GET", "?platform=linux", "")
}
