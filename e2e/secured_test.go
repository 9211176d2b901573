//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"server-monitor/e2e/rig"
)

// password is that of the user prometheus.
const password = "correct horse battery staple"

// securedMonitor asks for a password over TLS.
type securedMonitor struct {
	*rig.Monitor
	certificate string // file
}

// startSecured starts server-monitor with a file of the exporter toolkit.
func startSecured(t *testing.T) *securedMonitor {
	t.Helper()
	dir := t.TempDir()
	certificate, pool := makeCertificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "web.yml")
	text := fmt.Sprintf("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {prometheus: %q}\n", hash)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m := programs.StartMonitor(t, "--web.config.file="+file)
	m.Client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}
	return &securedMonitor{m, certificate}
}

// makeCertificate writes a certificate of localhost, signed by itself.
func makeCertificate(t *testing.T, dir string) (file string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "cert.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, text := range map[string][]byte{
		file:                          public,
		filepath.Join(dir, "key.pem"): pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return file, pool
}

// TestSecured checks that --web.config.file keeps others out.
func TestSecured(t *testing.T) {
	m := startSecured(t)
	url := "https://" + m.Address + "/metrics"
	if status, _ := rig.Get(t, m.Client, url); status != http.StatusUnauthorized {
		t.Errorf("without a password: status %d, want 401", status)
	}
	request, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]int{password: http.StatusOK, "wrong": http.StatusUnauthorized} {
		request.SetBasicAuth("prometheus", secret)
		response, err := m.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("password %q: status %d, want %d", secret, response.StatusCode, want)
		}
	}
	if status, _ := rig.Get(t, http.DefaultClient, "http://"+m.Address+"/metrics"); status != http.StatusBadRequest {
		t.Errorf("without TLS: status %d, want 400", status)
	}
}
