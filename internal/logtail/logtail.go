// Package logtail reads the last lines of logs and follows what is appended:
// of files, which are read from their end, and of systemd's journal.
//
// Only sources that an operator configured are ever read; whoever asks names a
// source, never a path. Every line is safe to show, and none is longer than
// [MaxLine] however long it is in the log.
package logtail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"server-monitor/internal/language"
)

// MaxLine is how many bytes of a line are shown.
const MaxLine = 4096

// Line is one line of a log.
type Line struct {
	// Time is when the line was written, zero where the log does not say it
	// apart from its text.
	Time time.Time `json:"time,omitzero"`
	// Level is how grave the line is.
	Level Level `json:"level"`
	// Unit is the systemd unit that wrote it, empty in files.
	Unit string `json:"unit,omitempty"`
	// Text is the line itself, with escapes for what cannot be shown.
	Text string `json:"text"`
	// Cut tells that the line is longer than what is shown.
	Cut bool `json:"cut,omitempty"`
}

// Log is a log that can be read from its end.
type Log interface {
	// Name is what people call it: the path of a file, "journal".
	Name() string
	// Last returns the last n lines, the oldest first.
	Last(ctx context.Context, n int) ([]Line, error)
	// Follow begins to follow the log behind its present end.
	Follow(ctx context.Context) (Follower, error)
}

// Follower hands out what is appended to a log.
type Follower interface {
	// Next returns the lines that were appended since the last call, at most n
	// of them, none where there are none. It does not wait for any.
	Next(ctx context.Context, n int) ([]Line, error)
	// Close lets go of the log.
	Close() error
}

// ErrNotText says that a source is not a regular file, such as a folder or a
// device.
var ErrNotText = errors.New("not a regular file")

// Problem says in words why a log cannot be read.
func Problem(err error) language.Text {
	switch {
	case err == nil:
		return language.Text{}
	case errors.Is(err, fs.ErrNotExist):
		return language.Text{
			English: "The log does not exist on this server.",
			Korean:  "이 서버에 해당 로그가 없습니다.",
		}
	case errors.Is(err, fs.ErrPermission):
		return language.Text{
			English: "The log may not be read: add the user of server-monitor to the group adm or systemd-journal, or grant CAP_DAC_READ_SEARCH.",
			Korean:  "로그를 읽을 권한이 없습니다. server-monitor 사용자를 adm 또는 systemd-journal 그룹에 추가하거나 CAP_DAC_READ_SEARCH를 부여하십시오.",
		}
	case errors.Is(err, ErrNotText):
		return language.Text{
			English: "The source is not a regular file.",
			Korean:  "로그 원본이 일반 파일이 아닙니다.",
		}
	case errors.Is(err, context.DeadlineExceeded):
		return language.Text{
			English: "The log did not answer in time.",
			Korean:  "로그가 제시간에 응답하지 않았습니다.",
		}
	}
	return language.Text{
		English: fmt.Sprintf("The log cannot be read: %v.", err),
		Korean:  fmt.Sprintf("로그를 읽을 수 없습니다: %v.", err),
	}
}
