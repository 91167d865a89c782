// Package cost measures what templates cost in Go's own engine: once for the record, or again and again for a program that measures
// another engine in turn.
package cost

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/template"
	"time"
)

// A Workload is a template and what one execution of it costs in Go.
type Workload struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// How the dot is made, so that others can make the same; the digest of the output proves that they did.
	Dot          string  `json:"dot"`
	OutputBytes  int     `json:"outputBytes"`
	OutputSHA256 string  `json:"outputSha256"`
	ExecuteNs    float64 `json:"executeNs"`
	Data         any     `json:"-"`
	work         func()
}

// ListOf makes a list of so many items.
func ListOf(count int, item func(i int) any) []any {
	items := make([]any, count)
	for i := range items {
		items[i] = item(i)
	}
	return items
}

// prepare parses the template and executes it once.
func (w *Workload) prepare(functions template.FuncMap) error {
	t, err := template.New(w.Name).Funcs(functions).Parse(w.Text)
	if err != nil {
		return err
	}
	var output strings.Builder
	if err := t.Execute(&output, w.Data); err != nil {
		return err
	}
	w.OutputBytes, w.OutputSHA256 = output.Len(), fmt.Sprintf("%x", sha256.Sum256([]byte(output.String())))
	w.work = func() {
		// Into a string, since that is what the other engine gives.
		var output strings.Builder
		if err := t.Execute(&output, w.Data); err != nil {
			panic(err)
		}
	}
	return nil
}

// A round is so short that it may fit between what others do on the machine.
const (
	roundTime      = 20 * time.Millisecond
	recordedRounds = 200
)

// Serve measures the workload that each line names, and answers with a line: the nanoseconds that one execution took.
func Serve(workloads []Workload, functions template.FuncMap, in io.Reader, out io.Writer) error {
	byName := map[string]*Workload{}
	for i := range workloads {
		if err := workloads[i].prepare(functions); err != nil {
			return err
		}
		byName[workloads[i].Name] = &workloads[i]
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		w := byName[lines.Text()]
		if w == nil {
			return fmt.Errorf("no such workload: %s", lines.Text())
		}
		fmt.Fprintln(out, round(w.work))
	}
	return lines.Err()
}

// A baseline is work that takes about as long in every language that is compiled.
type baseline struct {
	Name string  `json:"name"`
	What string  `json:"what"`
	Ns   float64 `json:"ns"`
}

//go:noinline
func fnv1a(content []byte) uint32 {
	hash := uint32(2166136261)
	for _, b := range content {
		hash = (hash ^ uint32(b)) * 16777619
	}
	return hash
}

// Write measures the workloads, and beside them what another program can run on another machine to compare by.
func Write(program string, workloads []Workload, functions template.FuncMap, out io.Writer) error {
	mebibyte := make([]byte, 1<<20)
	costs := struct {
		About       string     `json:"about"`
		Go          string     `json:"go"`
		Calibration []baseline `json:"calibration"`
		Workloads   []Workload `json:"workloads"`
	}{
		About: "What Go's text/template costs, recorded by test/template/" + program + " (go run . -bench). " +
			"On another machine, scale by the calibration run there.",
		Go: runtime.Version(),
		Calibration: []baseline{
			{"sha256", "SHA-256 of 1 MiB of zero bytes: depends on the processor having instructions for it", fastest(func() { sha256.Sum256(mebibyte) })},
			{"fnv1a", "32-bit FNV-1a over the same, byte by byte in a plain loop", fastest(func() { fnv1a(mebibyte) })},
		},
		Workloads: workloads,
	}
	for i := range workloads {
		if err := workloads[i].prepare(functions); err != nil {
			return err
		}
		workloads[i].ExecuteNs = fastest(workloads[i].work)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(costs)
}

// fastest is the ns of one call in the best of many short rounds: others who use the machine only ever make it slower.
func fastest(work func()) float64 {
	best := round(work)
	for range recordedRounds {
		best = min(best, round(work))
	}
	return best
}

func round(work func()) float64 {
	count, start := 0, time.Now()
	for time.Since(start) < roundTime {
		work()
		count++
	}
	return float64(time.Since(start).Nanoseconds()) / float64(count)
}
