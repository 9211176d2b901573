//go:build e2e

package rig

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
)

// Mailbox is a mail server that keeps what it gets (RFC 5321, as much of it as
// a client that sends needs).
type Mailbox struct {
	// Address is where it listens: host and port.
	Address string

	mu    sync.Mutex
	mails []Mail
}

// Mail is one that has come.
type Mail struct {
	To, Subject string
	// Text and HTML are its two forms.
	Text, HTML string
}

// StartMailbox runs a mail server until the test ends.
func StartMailbox(t testing.TB) *Mailbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &Mailbox{Address: listener.Addr().String()}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer connection.Close()
				if err := box.serve(connection); err != nil && !errors.Is(err, io.EOF) {
					t.Errorf("mail: %v", err)
				}
			})
		}
	})
	return box
}

// Mails are those that have come to an address.
func (m *Mailbox) Mails(to string) []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Mail
	for _, mail := range m.mails {
		if strings.Contains(mail.To, to) {
			found = append(found, mail)
		}
	}
	return found
}

// serve talks with one client.
func (m *Mailbox) serve(connection net.Conn) error {
	in := bufio.NewReader(connection)
	say := func(text string) error {
		_, err := io.WriteString(connection, text+"\r\n")
		return err
	}
	err := say("220 mailbox ESMTP")
	for err == nil {
		var line string
		if line, err = in.ReadString('\n'); err != nil {
			break
		}
		switch word, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); word {
		case "EHLO":
			err = say("250-mailbox\r\n250 8BITMIME")
		case "DATA":
			if err = say("354 go on"); err == nil {
				err = errors.Join(m.receive(in), say("250 kept"))
			}
		case "QUIT":
			return say("221 bye")
		default:
			err = say("250 yes")
		}
	}
	return err
}

// receive reads one mail up to the line of a single dot.
func (m *Mailbox) receive(in *bufio.Reader) error {
	var text strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	received, err := parseMail(text.String())
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, received)
	return nil
}

// parseMail reads a mail of two alternative parts.
func parseMail(text string) (Mail, error) {
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return Mail{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return Mail{}, err
	}
	received := Mail{To: message.Header.Get("To"), Subject: subject}
	_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return Mail{}, err
	}
	parts := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return received, nil
		}
		if err != nil {
			return Mail{}, err
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return Mail{}, err
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "text/plain":
			received.Text = string(body)
		case "text/html":
			received.HTML = string(body)
		default:
			return Mail{}, fmt.Errorf("part of kind %q", kind)
		}
	}
}
