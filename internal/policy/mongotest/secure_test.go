package mongotest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/mongotest/ferret"
)

// certificate makes a certificate for 127.0.0.1 that vouches for itself.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "policy"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", der)
}

func TestTLSByOptionsOfTheURI(t *testing.T) {
	t.Parallel()
	certFile, keyFile := certificate(t)
	server, err := ferret.StartTLS("127.0.0.1:0", t.TempDir(), certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	store := openStore(t, server.URI()+"?tls=true&tlsCAFile="+certFile)
	if done, err := store.Seed(t.Context(), policy.Catalogue()[:3], false); err != nil || done.Added != 3 {
		t.Errorf("%+v, %v", done, err)
	}
	for what, options := range map[string]string{"without its CA": "?tls=true", "without TLS": ""} {
		other, err := mongostore.Open(mongostore.Config{URI: server.URI() + options, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Ping(t.Context()); err == nil {
			t.Errorf("%s: it was trusted", what)
		}
		other.Close(context.Background())
	}
}

// TestRefusedByAuthentication has a user name and password that the server does
// not take.
func TestRefusedByAuthentication(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	uri := strings.Replace(server.URI(), "mongodb://", "mongodb://alice:s3cretword@", 1)
	r, l, _ := follow(t, uri, "")
	eventually(t, "refused", 5*time.Second, func() bool { return r.Status().Failures > 1 })
	s := r.Status()
	if s.State != policy.NeverReached || s.Up || s.Err == "" {
		t.Errorf("%+v", s)
	}
	lines := l.lines()
	if len(lines) != 1 || !strings.Contains(lines[0], "never reached") {
		t.Errorf("log %q", lines)
	}
	c := r.Consult(t.Context(), policy.Subject{Name: "zz"})
	for _, shown := range []string{s.Err, strings.Join(lines, ""), c.Err.Error()} {
		if strings.Contains(shown, "s3cret") || strings.Contains(shown, "alice") {
			t.Errorf("a secret is shown: %s", shown)
		}
	}
	t.Log(s.Err)
}
