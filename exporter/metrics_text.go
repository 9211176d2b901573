package main

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/common/expfmt"

	"server-monitor/collector"
)

// pageAnswer is what it takes to answer a scrape in text, used again and again.
type pageAnswer struct {
	text   []byte
	zipped bytes.Buffer
	zipper *gzip.Writer
}

// gzipLevel takes half the time of the usual one for an answer that is a tenth
// larger.
const gzipLevel = gzip.BestSpeed

var answers = sync.Pool{New: func() any {
	zipper, err := gzip.NewWriterLevel(nil, gzipLevel)
	if err != nil {
		panic(err) // there is no such level
	}
	return &pageAnswer{zipper: zipper}
}}

// serveText answers with the text format, at once and not in pieces: each would
// wake up the reader. What cannot be gathered is logged, and does not keep the
// rest back.
func (h *metricsHandler) serveText(w http.ResponseWriter, r *http.Request, selected collector.TextWriter, format expfmt.Format) {
	a := answers.Get().(*pageAnswer)
	defer answers.Put(a)
	var err error
	a.text, err = selected.AppendText(a.text[:0], h.own)
	if err != nil {
		h.logger.Error("scrape is not complete", "err", err)
	}
	if err != nil && len(a.text) == 0 {
		http.Error(w, "nothing could be gathered: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header, body := w.Header(), a.text
	header.Set("Content-Type", string(format))
	header.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
		body = a.zip()
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // whoever has hung up does not want to hear of it
}

// zip compresses the text.
func (a *pageAnswer) zip() []byte {
	a.zipped.Reset()
	a.zipper.Reset(&a.zipped)
	_, _ = a.zipper.Write(a.text) // a buffer takes all
	_ = a.zipper.Close()
	return a.zipped.Bytes()
}

// acceptsGzip tells whether the answer may be compressed (RFC 9110, 12.5.3).
func acceptsGzip(header http.Header) bool {
	anything := false
	for _, line := range header["Accept-Encoding"] {
		for offer := range strings.SplitSeq(line, ",") {
			coding, parameters, _ := strings.Cut(offer, ";")
			switch coding = strings.ToLower(strings.TrimSpace(coding)); coding {
			case "gzip", "x-gzip":
				return !isZero(parameters)
			case "*":
				anything = !isZero(parameters)
			}
		}
	}
	return anything
}

// isZero tells the weight of what is not acceptable: "q=0".
func isZero(parameters string) bool {
	name, weight, _ := strings.Cut(strings.TrimSpace(parameters), "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
	return strings.EqualFold(strings.TrimSpace(name), "q") && err == nil && q == 0
}
