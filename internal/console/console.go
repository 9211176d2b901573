// Package console is the page of the operator listener: one HTML page with its
// style, modules, words and fonts, embedded in the program. It asks the API
// below /api/v1 for everything it shows, holds no data of its own, and loads
// nothing from anywhere else.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:generate sh font/generate.sh

//go:embed assets
var embedded embed.FS

// pageName is the asset that is the page itself.
const pageName = "index.html"

// prefix is where the page finds the other assets, relative to itself.
const prefix = "/console/"

// contentPolicy lets the page load its own files and talk to its own server, and do
// nothing else: no script or style in the markup, no frame around it, no text
// that becomes markup (require-trusted-types-for), no form sent anywhere.
var contentPolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"font-src 'self'",
	"img-src 'self'",
	"connect-src 'self'",
	"frame-ancestors 'none'",
	"base-uri 'none'",
	"form-action 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
}, "; ")

// types are the media types of the assets, which must not depend on the tables
// of the machine.
var types = map[string]string{
	".html":  "text/html; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// asset is one file of the page.
type asset struct {
	body []byte
	kind string
	tag  string // of its content (RFC 9110, section 8.8.3)
}

// assets are all files by their names below the folder assets.
var assets = load(embedded)

// load reads the embedded files. They are part of the program: one that cannot
// be read, or that nobody gave a type, is a mistake in it.
func load(files fs.FS) map[string]asset {
	found := make(map[string]asset)
	err := fs.WalkDir(files, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		kind, ok := types[path.Ext(name)]
		if !ok {
			return fmt.Errorf("%s has no media type", name)
		}
		sum := sha256.Sum256(body)
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		found[strings.TrimPrefix(name, "assets/")] = asset{body, kind, tag}
		return nil
	})
	if err != nil {
		panic("console: " + err.Error())
	}
	return found
}

// Handler serves the page at / and its files below /console/. Who may ask is up
// to the caller; nothing here is secret.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		assets[pageName].serve(w, r)
	})
	mux.HandleFunc("GET "+prefix+"{name...}", func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[r.PathValue("name")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		// The names do not change with the content, so it is asked for anew each
		// time, and answered in a few bytes where it is the same.
		w.Header().Set("Cache-Control", "no-cache")
		a.serve(w, r)
	})
	return withHeaders(mux)
}

// serve answers with the file, or says that the client has it.
func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.tag)
	if strings.Contains(r.Header.Get("If-None-Match"), a.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(a.body)))
	_, _ = w.Write(a.body) // the client may have gone
}

// withHeaders adds what keeps the page to itself.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		next.ServeHTTP(w, r)
	})
}
