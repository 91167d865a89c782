// Record runs template cases through the functions of consul-template and sprig and writes what came out, one JSON object a line.
//
// Usage: record [-random N -seed S] [NAME…], which writes rows/NAME.jsonl, or all of them, besides names.json and interfaces.json
//
//	record -bench >../../bench/go-function-cost.json
//	record -serve, which measures beside another program
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"outrigger/go-parity/cost"
)

// A Case is what goes into the engine.
type Case struct {
	Row     string // names the row in reports
	Text    string
	Data    string // as typed JSON: functions may change what they are given, so each run decodes it anew
	Env     []string
	Differs json.RawMessage // what the other engine makes of it instead, on purpose, and why
	IsSame  bool            // it comes out as in Go, whatever the model says
}

func main() {
	random := flag.Int("random", 3000, "how many random cases to make")
	seed := flag.Uint64("seed", 1, "seed of the random cases")
	bench := flag.Bool("bench", false, "measure the benchmark template instead")
	serve := flag.Bool("serve", false, "measure it when a line of the input names it")
	flag.Parse()
	if *bench || *serve {
		functions := functionsFor(template.New("t"), nil)
		if *bench {
			check(cost.Write("function-parity", workloads, functions, os.Stdout))
		} else {
			check(cost.Serve(workloads, functions, os.Stdin, os.Stdout))
		}
		return
	}
	// spew_dump and spew_printf print there.
	os.Stdout, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	paths, err := filepath.Glob("cases/*.txt")
	check(err)
	var all []Case
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		content, err := os.ReadFile(path)
		check(err)
		cases, err := readCases(name, bytes.NewReader(content))
		check(err)
		all = append(all, cases...)
		check(recordInto(name, cases))
	}
	check(recordInto("prefixed", withPrefix(all)))
	check(recordInto("random", randomCases(*seed, *random)))
	check(writeJSON("names.json", names()))
	check(writeJSON("interfaces.json", interfaces()))
}

func writeJSON(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	check(err)
	return os.WriteFile(path, append(content, '\n'), 0o644)
}

// recordInto writes a file of rows, if it is asked for.
func recordInto(name string, cases []Case) error {
	if flag.NArg() > 0 && !slices.Contains(flag.Args(), name) {
		return nil
	}
	var rows bytes.Buffer
	if err := record(&rows, cases); err != nil {
		return err
	}
	return os.WriteFile("rows/"+name+".jsonl", rows.Bytes(), 0o644)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// address matches where Go prints one, which no other run would.
var address = regexp.MustCompile(`0xc[0-9a-f]{9}`)

// runsOf is how often a case runs. What comes out in the order of a map, seldom comes out differently when the map is small.
func runsOf(row Row) int {
	if slices.ContainsFunc(row.Uses, func(name string) bool { return inMapOrder.MatchString(name) }) {
		return 200
	}
	return 5
}

var inMapOrder = regexp.MustCompile(`(?i)keys|values|merge|spew`)

// record writes a row for each case, and leaves out what would be another row the next time.
func record(out io.Writer, cases []Case) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	var data []byte
	for _, c := range cases {
		row, isSteady := runOften(c, asInGo, 0)
		if isSteady && !c.IsSame && row.Differs == nil {
			row.Differs, isSteady = differenceFrom(row, c)
		}
		if address.Match(encode(row)) {
			isSteady = false
		}
		if !isSteady {
			fmt.Fprintf(os.Stderr, "record: left out, it does not come out the same, or not at all: %s: %s\n", c.Row, c.Text)
			continue
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

// runOften runs a case so often, or as often as what it uses asks for, and says whether it came to the same end each time.
func runOften(c Case, as engine, times int) (row Row, isSteady bool) {
	row, isSteady = run(c, as)
	if times == 0 {
		times = runsOf(row)
	}
	first := encode(row)
	for n := 1; n < times && isSteady; n++ {
		again, _ := run(c, as)
		isSteady = bytes.Equal(first, encode(again))
	}
	return row, isSteady
}

// A Row is a case and what Go made of it: exactly one of Output, ParseError and ExecError is set.
type Row struct {
	Row  string          `json:"row"`
	Uses []string        `json:"uses"`           // the functions in it that are not Go's own
	Data json.RawMessage `json:"data,omitempty"` // left out where it is the same as in the row before
	Env  []string        `json:"env,omitempty"`
	Text Text            `json:"text"`
	Result
	Differs json.RawMessage `json:"differs,omitempty"`
}

// A Result has one of these.
type Result struct {
	Output     *Text `json:"output,omitempty"`
	ParseError *Text `json:"parseError,omitempty"`
	ExecError  *Text `json:"execError,omitempty"`
}

func (r Result) isSame(other Result) bool {
	one, _ := json.Marshal(r)
	two, _ := json.Marshal(other)
	return bytes.Equal(one, two)
}

type Difference struct {
	Reason string `json:"reason"`
	Result
}

// An engine says how the functions behave.
type engine int

const (
	asInGo engine = iota
	withOurTypes
	withOurIntegers
)

// differenceFrom says what is expected instead of a row, as far as that can be computed.
func differenceFrom(row Row, c Case) (difference json.RawMessage, isSteady bool) {
	typed, _ := run(c, withOurTypes)
	exact, isSteady := runOften(c, withOurIntegers, runsOf(row))
	expected := exact.Result.withoutDetails()
	reason := "types"
	switch {
	case expected.isSame(row.Result):
		return nil, isSteady
	case exact.isSame(row.Result):
		reason = "interfaces"
	case !exact.isSame(typed.Result):
		reason = "integers"
	}
	return encode(Difference{reason, expected}), isSteady
}

// interfaceDetails matches how Go prints an interface: number, MTU, name, hardware address, flags.
var interfaceDetails = regexp.MustCompile(`\{\d+ \d+ (\w+) [0-9a-f:]* [a-z|]+\}`)

// intChannel matches what stands for a channel of int64 while our integers are Go's int. It goes by its own name with us, too.
var intChannel = regexp.MustCompile(`<-chan int\b`)

func (r Result) withoutDetails() Result {
	if r.Output != nil {
		r.Output = textOf(intChannel.ReplaceAllString(string(*r.Output), "<-chan int64"))
	}
	if r.ExecError != nil {
		message := intChannel.ReplaceAllString(string(*r.ExecError), "<-chan int64")
		r.ExecError = textOf(interfaceDetails.ReplaceAllString(message, "$1"))
	}
	return r
}

// How long a template may take, and how much it may write.
const (
	timeMax   = 60 * time.Second
	outputMax = 1 << 20
)

// run runs a case, and says whether it came to an end.
func run(c Case, as engine) (Row, bool) {
	done := make(chan Row, 1)
	output := &bounded{}
	go func() { done <- runInto(output, c, as) }()
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

func runInto(output *bounded, c Case, as engine) Row {
	row := Row{Row: c.Row, Uses: []string{}, Data: json.RawMessage(c.Data), Env: c.Env, Text: Text(c.Text), Differs: c.Differs}
	data, err := decodeValue(c.Data)
	check(err)
	t := template.New("t")
	functions := functionsFor(t, c.Env)
	if as >= withOurTypes {
		functions = modelled(functions)
		if model := toModel(reflect.ValueOf(data)); model.IsValid() {
			data = model.Interface()
		}
	}
	if as == withOurIntegers {
		maps.Copy(functions, withIntegers(functions))
	}
	t, err = t.Option("missingkey=zero").Funcs(functions).Parse(c.Text)
	if err != nil {
		row.ParseError = textOf(err.Error())
		return row
	}
	row.Uses = usesOf(t)
	if err := t.Execute(output, data); err != nil {
		row.ExecError = textOf(err.Error())
		return row
	}
	row.Output = textOf(output.String())
	return row
}

// A Text is written as it is where JSON can carry it, else as its bytes.
type Text string

func textOf(text string) *Text {
	return (*Text)(&text)
}

func (t Text) MarshalJSON() ([]byte, error) {
	var content any = string(t)
	if !utf8.ValidString(string(t)) {
		content = map[string]any{"$bytes": base64.StdEncoding.EncodeToString([]byte(t))}
	}
	return encode(content), nil
}

// encode makes JSON that people can read.
func encode(content any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(content))
	return bytes.TrimSpace(text.Bytes())
}
