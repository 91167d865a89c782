package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"text/template"
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
	dot          any
}

var workloads = []Workload{
	{
		Name: "a list of 1,000 lines",
		Text: "{{range .lines}}{{.name}} {{.port}}\n{{end}}",
		Dot:  `{lines: for i of 0…999: {name: "host-" + i, port: 8000 + i}}`,
		dot:  map[string]any{"lines": listOf(1000, host)},
	},
	{
		Name: "a map of 10,000 keys",
		Text: "{{range $key, $value := .entries}}{{$key}}={{$value}}\n{{end}}",
		Dot:  `{entries: for i of 0…9999: "key-" + i: "value-" + i}`,
		dot:  map[string]any{"entries": entriesOf(10_000)},
	},
	{
		Name: "200 function calls",
		Text: `{{range .lines}}{{printf "%s:%05d" .name .port}} {{len .tags}} {{index .tags 1}} {{eq .name "host-7"}}` + "\n{{end}}",
		Dot:  `{lines: for i of 0…49: {name: "host-" + i, port: 8000 + i, tags: ["a", "tag-" + i]}}`,
		dot:  map[string]any{"lines": listOf(50, tagged)},
	},
	{
		Name: "100 branches in branches",
		Text: `{{range $i, $line := .lines}}{{if .tags}}{{with .meta}}{{if and .zone (ne .zone "z-3")}}{{range $.zones}}{{if eq . $line.meta.zone}}` +
			`{{$i}} {{$line.name}} in {{.}}{{else}}-{{end}}{{end}}{{else}}none{{end}}{{end}}{{else}}untagged{{end}}` + "\n{{end}}",
		Dot: `{zones: ["z-0", "z-1", "z-2"], lines: for i of 0…99: {name: "host-" + i, tags: i % 5 == 0 ? [] : ["a"], meta: {zone: "z-" + i % 4}}}`,
		dot: map[string]any{"zones": []any{"z-0", "z-1", "z-2"}, "lines": listOf(100, zoned)},
	},
}

func listOf(count int, item func(i int) any) []any {
	items := make([]any, count)
	for i := range items {
		items[i] = item(i)
	}
	return items
}

func host(i int) any {
	return map[string]any{"name": fmt.Sprintf("host-%d", i), "port": 8000 + i}
}

func tagged(i int) any {
	return map[string]any{"name": fmt.Sprintf("host-%d", i), "port": 8000 + i, "tags": []any{"a", fmt.Sprintf("tag-%d", i)}}
}

func zoned(i int) any {
	tags := []any{"a"}
	if i%5 == 0 {
		tags = []any{}
	}
	return map[string]any{"name": fmt.Sprintf("host-%d", i), "tags": tags, "meta": map[string]any{"zone": fmt.Sprintf("z-%d", i%4)}}
}

func entriesOf(count int) map[string]any {
	entries := make(map[string]any, count)
	for i := range count {
		entries[fmt.Sprintf("key-%d", i)] = fmt.Sprintf("value-%d", i)
	}
	return entries
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

// writeCosts measures the workloads, and beside them what another program can run on another machine to compare by.
func writeCosts(out io.Writer) error {
	mebibyte := make([]byte, 1<<20)
	costs := struct {
		About       string     `json:"about"`
		Go          string     `json:"go"`
		Calibration []baseline `json:"calibration"`
		Workloads   []Workload `json:"workloads"`
	}{
		About: "What Go's text/template costs, recorded by test/template/go-parity (go run . -bench). " +
			"On another machine, scale by the calibration run there.",
		Go: runtime.Version(),
		Calibration: []baseline{
			{"sha256", "SHA-256 of 1 MiB of zero bytes: depends on the processor having instructions for it", fastest(func() { sha256.Sum256(mebibyte) })},
			{"fnv1a", "32-bit FNV-1a over the same, byte by byte in a plain loop", fastest(func() { fnv1a(mebibyte) })},
		},
	}
	for _, w := range workloads {
		t, err := template.New(w.Name).Parse(w.Text)
		if err != nil {
			return err
		}
		var output strings.Builder
		if err := t.Execute(&output, w.dot); err != nil {
			return err
		}
		w.OutputBytes, w.OutputSHA256 = output.Len(), fmt.Sprintf("%x", sha256.Sum256([]byte(output.String())))
		// Into a string, since that is what the other engine gives.
		w.ExecuteNs = fastest(func() {
			var output strings.Builder
			check(t.Execute(&output, w.dot))
		})
		costs.Workloads = append(costs.Workloads, w)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(costs)
}

// fastest is the ns of one call in the best of several benchmarks: others who use the machine only ever make it slower.
func fastest(work func()) float64 {
	best := 0.0
	for range 12 {
		result := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				work()
			}
		})
		if ns := float64(result.T.Nanoseconds()) / float64(result.N); best == 0 || ns < best {
			best = ns
		}
	}
	return best
}
