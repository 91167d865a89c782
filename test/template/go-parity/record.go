// Record runs template cases through the real text/template and writes what it said, one JSON object a line.
//
// Usage: go run . [-random N -seed S] [cases.txt] >rows.jsonl
//
//	go run . -bench >../../bench/go-template-cost.json
//	go run . -serve, which measures beside another program
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"outrigger/go-parity/cost"
)

// A Case is what goes into the engine.
type Case struct {
	Row        string // names the row in reports
	Name       string // the template's name, which its errors show
	Text       string
	Data       any
	Delims     []string
	MissingKey string
	Differs    json.RawMessage // what the other engine makes of it instead, on purpose, and why
}

func main() {
	random := flag.Int("random", 0, "make this many random cases instead of reading a file")
	seed := flag.Uint64("seed", 1, "seed of the random cases")
	bench := flag.Bool("bench", false, "measure the benchmark templates instead")
	serve := flag.Bool("serve", false, "measure those that the lines of the input name")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	switch {
	case *bench:
		check(cost.Write("go-parity", workloads, nil, out))
	case *serve:
		check(cost.Serve(workloads, nil, os.Stdin, os.Stdout))
	case *random > 0:
		check(record(out, randomCases(*seed, *random)))
	default:
		cases, err := readCases(strings.TrimSuffix(filepath.Base(flag.Arg(0)), ".txt"), open(flag.Arg(0)))
		check(err)
		check(record(out, cases))
	}
}

func open(path string) io.Reader {
	if path == "" {
		return os.Stdin
	}
	content, err := os.ReadFile(path)
	check(err)
	return bytes.NewReader(content)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// address matches where Go prints one, which no other run would.
var address = regexp.MustCompile(`0xc0[0-9a-f]{8}`)

// record writes a row for each case, and refuses what would record differently the next time.
func record(out io.Writer, cases []Case) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	var data []byte
	for _, c := range cases {
		row, ended := run(c)
		if !ended {
			fmt.Fprintln(os.Stderr, "record: left out, it does not end:", c.Row)
			continue
		}
		first, _ := json.Marshal(row)
		again, _ := run(c)
		if second, _ := json.Marshal(again); !bytes.Equal(first, second) || address.Match(first) {
			return fmt.Errorf("%s is not deterministic: %s", c.Row, c.Text)
		}
		if bytes.Equal(row.Data, data) {
			row.Data = nil
		} else {
			data = row.Data
		}
		if err := encoder.Encode(row); err != nil {
			return err
		}
	}
	return nil
}

// A Row is a case and what Go made of it: exactly one of Output, ParseError and ExecError is set.
type Row struct {
	Row        string          `json:"row"`
	Data       json.RawMessage `json:"data,omitempty"` // left out where it is the same as in the row before
	Name       string          `json:"name"`
	Text       any             `json:"text"`
	Delims     []string        `json:"delims,omitempty"`
	MissingKey string          `json:"missingkey,omitempty"`
	Output     any             `json:"output,omitempty"`
	ParseError any             `json:"parseError,omitempty"`
	ExecError  any             `json:"execError,omitempty"`
	Differs    json.RawMessage `json:"differs,omitempty"`
}

// How long a template may take, and how much it may write: a range over a large number does not end.
const (
	timeMax   = 5 * time.Second
	outputMax = 1 << 20
)

// run runs a case, and says whether it came to an end.
func run(c Case) (Row, bool) {
	done := make(chan Row, 1)
	output := &bounded{}
	go func() { done <- runInto(output, c) }()
	select {
	case row := <-done:
		return row, output.err == nil
	case <-time.After(timeMax):
		return Row{}, false
	}
}

type bounded struct {
	strings.Builder
	err error
}

func (b *bounded) Write(content []byte) (int, error) {
	if b.Len()+len(content) > outputMax {
		b.err = io.ErrShortWrite
		return 0, b.err
	}
	return b.Builder.Write(content)
}

func runInto(output *bounded, c Case) Row {
	row := Row{Row: c.Row, Data: encodeValue(c.Data), Name: c.Name, Text: bytesOrText(c.Text), Delims: c.Delims, MissingKey: c.MissingKey, Differs: c.Differs}
	t := template.New(c.Name).Funcs(functions)
	if len(c.Delims) == 2 {
		t = t.Delims(c.Delims[0], c.Delims[1])
	}
	if c.MissingKey != "" {
		t = t.Option("missingkey=" + c.MissingKey)
	}
	t, err := t.Parse(c.Text)
	if err != nil {
		row.ParseError = bytesOrText(err.Error())
		return row
	}
	if err := t.Execute(output, c.Data); err != nil {
		row.ExecError = bytesOrText(err.Error())
		return row
	}
	row.Output = bytesOrText(output.String())
	return row
}

// The functions beside the builtins: what shows how a call goes, and one for each kind of parameter. The test has the same.
var functions = template.FuncMap{
	"list":    func(items ...any) []any { return items },
	"echo":    func(item any) any { return item },
	"fail":    func(message string) (any, error) { return nil, errors.New(message) },
	"text":    func(text string) string { return text },
	"whole":   func(number int) int { return number },
	"real":    func(number float64) float64 { return number },
	"truth":   func(truth bool) bool { return truth },
	"items":   func(items []any) []any { return items },
	"entries": func(entries map[string]any) map[string]any { return entries },
	"join":    func(separator string, parts ...string) string { return strings.Join(parts, separator) },
	"wholes":  func(numbers ...int) int { return len(numbers) },
}

// bytesOrText is the string itself where JSON can carry it, else its bytes.
func bytesOrText(text string) any {
	if utf8.ValidString(text) {
		return text
	}
	return map[string]any{"$bytes": base64.StdEncoding.EncodeToString([]byte(text))}
}
