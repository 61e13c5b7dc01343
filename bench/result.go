package main

import (
	"bytes"
	"context"
	_ "embed" // for the report
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/template"
	"time"
)

// result is everything that was measured.
type result struct {
	Started     time.Time    `json:"started"`
	Quick       bool         `json:"quick"`
	Machine     machine      `json:"machine"`
	Dashboard   *dashboard   `json:"dashboard"`
	Subscribers *subscribers `json:"subscribers"`
	Plans       *plans       `json:"plans"`
	App         *inBrowser   `json:"app"`
	Directory   *directory   `json:"directory"`
}

//go:embed report.md.tmpl
var reportTemplate string

// write makes DATE-COMMIT.md and DATE-COMMIT.json of the result, and shows the report.
func (r *result) write(ctx context.Context, s settings, out io.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	report, err := r.report()
	if err != nil {
		return err
	}
	figures, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	name := filepath.Join(s.out, r.Started.Format(time.DateOnly)+"-"+r.Machine.Commit)
	err = errors.Join(
		os.WriteFile(name+".md", report, 0o644),
		os.WriteFile(name+".json", append(figures, '\n'), 0o644),
	)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n%s.md\n", report, name)
	return err
}

func (r *result) report() ([]byte, error) {
	parsed, err := template.New("report").Funcs(template.FuncMap{
		"ms":    func(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) },
		"mb":    func(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) },
		"kb":    func(bytes int64) string { return fmt.Sprintf("%.1f kB", float64(bytes)/1e3) },
		"size":  func(bytes int) string { return fmt.Sprintf("%.0f kB", float64(bytes)/1e3) },
		"task":  longest,
		"day":   func(t time.Time) string { return t.Format(time.DateOnly) },
		"share": func(a, b float64) string { return fmt.Sprintf("%.0f %%", 100*a/b) },
	}).Parse(reportTemplate)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = parsed.Execute(&text, r)
	return text.Bytes(), err
}

// longest is the time of a longest task, as far as browsers tell it.
func longest(d time.Duration) string {
	if d == 0 {
		return "below 50 ms"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
