package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/hashicorp/consul-template/dependency"
)

// A maker makes templates out of calls of the functions, whose arguments mostly have the types that they ask for, and are calls
// themselves now and then.
type maker struct {
	*rand.Rand
	data map[string]any // as typed JSON
}

// casesPerData is how many cases have the same data, which their rows then name only once.
const casesPerData = 50

func randomCases(seed uint64, count int) []Case {
	cases := make([]Case, count)
	var data map[string]any
	for i := range cases {
		m := &maker{rand.New(rand.NewPCG(seed, uint64(i))), data}
		if i%casesPerData == 0 {
			m.data = m.entries()
			data = m.data
		}
		content, err := json.Marshal(data)
		check(err)
		// Its order is that of the list, so that each function has its share.
		text := m.action(callable[i%len(callable)])
		cases[i] = Case{Row: fmt.Sprintf("random %d: %d", seed, i), Text: text, Data: string(content), Env: []string{"NAME=web", "EMPTY="}}
	}
	return cases
}

// uncallable are the functions whose result is that of chance, of the machine or of a long time.
var uncallable = strings.Fields(`ago bcrypt buildCustomCert derivePassword encryptAES genCA genCAWithKey genPrivateKey genSelfSignedCert
	genSelfSignedCertWithKey genSignedCert genSignedCertWithKey htpasswd randInt shuffle sockaddr executeTemplate scratch loop`)

// callable are all other functions; those that came with a prefix have it sometimes.
var callable = callableNames()

var functionTypes = func() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for name, function := range functionsFor(template.New("t"), nil) {
		types[name] = withoutOptions(reflect.ValueOf(function)).Type()
	}
	return types
}()

func callableNames() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(functionTypes)) {
		bare := strings.TrimPrefix(name, "sprig_")
		if _, isTwice := functionTypes[bare]; bare != name && isTwice && isFree(bare, consulOnly) {
			continue
		}
		if !slices.Contains(uncallable, bare) {
			names = append(names, name)
		}
	}
	return names
}

func (m *maker) chance(percent int) bool       { return m.IntN(100) < percent }
func (m *maker) pick(choices ...string) string { return choices[m.IntN(len(choices))] }

// The kinds of values; a field of the data is called by its kind and a number.
const kinds = "text whole real truth list entries nothing pairs"

const fieldsPerKind = 3

func (m *maker) entries() map[string]any {
	all := map[string]any{}
	for _, kind := range strings.Fields(kinds) {
		for i := range fieldsPerKind {
			all[kind+strconv.Itoa(i)] = m.value(kind, 2)
		}
	}
	return all
}

// value makes typed JSON.
func (m *maker) value(kind string, depth int) any {
	switch kind {
	case "text":
		return m.text()
	case "whole":
		if m.chance(15) {
			return map[string]any{"$uint": strconv.FormatUint(m.Uint64()>>m.IntN(64), 10)}
		}
		return m.IntN(14) - 3
	case "real":
		return map[string]any{"$float": m.pick("0", "-0", "1", "2.5", "-2.5", "1e21", "1e-7", "100000000", "0.1", "3.14159", "NaN", "+Inf")}
	case "truth":
		return m.chance(50)
	case "list":
		items := make([]any, m.IntN(5))
		// Most lists are of one kind.
		kind := m.scalarKind()
		for i := range items {
			if m.chance(10) {
				kind = m.anyKind(depth - 1)
			}
			items[i] = m.value(kind, depth-1)
		}
		return items
	case "entries":
		entries := map[string]any{}
		for range m.IntN(4) {
			entries[m.key()] = m.value(m.anyKind(depth-1), depth-1)
		}
		return entries
	case "pairs":
		pairs := make([]any, m.IntN(3))
		for i := range pairs {
			key := m.pick("a", "a/b", "b", "b/c/d", "é", "")
			pairs[i] = []string{"app/" + key, key, m.text()}
		}
		return map[string]any{"$keypairs": pairs}
	}
	return nil
}

func (m *maker) scalarKind() string {
	return m.pick("text", "text", "text", "whole", "real", "truth", "nothing")
}

func (m *maker) anyKind(depth int) string {
	if depth > 0 && m.chance(40) {
		return m.pick("list", "entries")
	}
	return m.scalarKind()
}

func (m *maker) key() string { return m.pick("a", "b", "c", "Key", "é", "a/b", "a.b", "") }

// text makes one that some function might look into.
func (m *maker) text() string {
	switch m.IntN(4) {
	case 0:
		return m.pick("", " ", "a", "b", "é☺𝄞", "ÀÉ ß ǅ ŉ", "\n", "\t x \r\n", "0", "-1", "00", "0x1F", "1_000", "1e3", "9223372036854775808", ".5")
	case 1:
		return m.pick("a,b,,c", "k:v,l:w", "a=1&b=2%zz", "l1\nl2\n\nl3", "  padded  ", "HTTPServer v2", "snake_case-kebab case", "xxx",
			"the quick brown fox jumps", "o'clock \"q\" \\ `", "<a href='x'>&", "{{.}}", "%d%s%", "$1 ${1} $x")
	case 2:
		return m.pick(`{"a":1,"b":[1.5,"x",null]}`, "[1,2", "a: 1\nb: [x, ~]", "true", "null", `"q"`, "aGVsbG8=", "aGVsbG8", "_-8", "NBSWY3DP", "2024-02-30",
			"2024-02-29T01:02:03Z", "1h30m", "-5s", "1.2.3", "v1.2.3-rc.1+b", ">=1.2 <2 || 3.x", "^1.2", "~1", "127.0.0.1", "not json")
	}
	return m.pick("/a/b/../c.tar.gz", "./x", "", "a//b/", "http://u:p@h.io:80/p?q=1#f", "//h/p", "a+", "(a|b)*", "[^,]+", "^(?i)A(.)$", "(", "\\d{2,}", "(?P<x>a)",
		"2006-01-02", "unix", "RFC3339", "map", "string", "int", "Key", "cat", "cats", "NAME", "EMPTY")
}

func (m *maker) action(name string) string {
	call := m.call(name, 2)
	switch m.IntN(12) {
	case 0:
		return "{{" + call + m.pick(" | toJSON", " | toYAML", " | toString", " | quote", " | kindOf", " | typeOf", " | len", " | printf \"%q\"", " | printf \"%#v\"", " | print 1") + "}}"
	case 1:
		return "{{range $k, $v := (" + call + ")}}{{$k}}={{$v}};{{else}}none{{end}}"
	case 2:
		return "{{if " + call + "}}{{" + m.call(callable[m.IntN(len(callable))], 1) + "}}{{else}}no{{end}}"
	case 3:
		return "{{with $x := (" + call + ")}}{{$x}} {{" + m.call(callable[m.IntN(len(callable))], 1) + "}} {{$x}}{{end}}"
	}
	return "{{" + call + "}}"
}

// call writes a call; its last argument comes through a pipe now and then.
func (m *maker) call(name string, depth int) string {
	function := functionTypes[name]
	var args []string
	for i := range function.NumIn() {
		if function.IsVariadic() && i == function.NumIn()-1 {
			for range m.IntN(4) {
				args = append(args, m.argument(name, len(args), function.In(i).Elem(), depth))
			}
			break
		}
		args = append(args, m.argument(name, i, function.In(i), depth))
	}
	switch {
	case m.chance(2) && len(args) > 0:
		args = args[1:]
	case m.chance(2):
		args = append(args, "1")
	}
	written := name
	if bare := "sprig_" + name; functionTypes[bare] != nil && m.chance(10) {
		written = bare
	}
	if last := len(args) - 1; last >= 0 && m.chance(25) {
		return args[last] + " | " + strings.Join(append([]string{written}, args[:last]...), " ")
	}
	return strings.Join(append([]string{written}, args...), " ")
}

// argument writes an operand that mostly has the type.
func (m *maker) argument(name string, at int, want reflect.Type, depth int) string {
	// A map that holds itself is the end of Go's stack, which no program survives.
	changes := strings.Contains(name, "set") || strings.Contains(strings.ToLower(name), "merge")
	if depth > 0 && !changes && m.chance(25) {
		if inner := m.giving(want); inner != "" {
			return "(" + m.call(inner, depth-1) + ")"
		}
	}
	kind := kindFor(want)
	if kind == "" {
		kind = m.usualKind(name, at)
	}
	if m.chance(6) && !changes {
		kind = m.pick(strings.Fields(kinds)...)
	}
	if m.chance(40) && m.isLiteral(kind) {
		return m.literal(kind)
	}
	return "." + kind + strconv.Itoa(m.IntN(fieldsPerKind))
}

func kindFor(want reflect.Type) string {
	switch want.Kind() {
	case reflect.String:
		return "text"
	case reflect.Int, reflect.Int64:
		return "whole"
	case reflect.Float64:
		return "real"
	case reflect.Bool:
		return "truth"
	case reflect.Slice:
		if want.Elem() == reflect.TypeFor[*dependency.KeyPair]() {
			return "pairs"
		}
		return "list"
	case reflect.Map:
		return "entries"
	}
	return ""
}

// usualKind is what a function that takes anything is mostly for.
func (m *maker) usualKind(name string, at int) string {
	bare := strings.TrimPrefix(strings.TrimPrefix(name, "sprig_"), "must")
	switch strings.ToLower(bare) {
	case "set":
		return m.scalarKind()
	case "add", "sub", "mul", "div", "mod", "add1", "max", "min", "biggest", "floor", "ceil", "round", "until", "untilstep", "addf", "subf", "mulf", "divf",
		"maxf", "minf", "add1f", "subtract", "multiply", "divide", "modulo", "maximum", "minimum", "seq", "int", "int64", "float64", "todecimal", "durationround", "duration":
		return m.pick("whole", "whole", "real", "text")
	case "join", "sortalpha", "tostrings", "first", "last", "rest", "initial", "reverse", "uniq", "compact", "append", "prepend", "push", "concat", "chunk", "slice":
		if at == 0 || m.chance(40) {
			return "list"
		}
	case "has", "without", "in", "containsall", "containsany", "containsnone", "containsnotall":
		return m.pick("list", "text", "whole")
	case "deepcopy", "tojson", "toprettyjson", "torawjson", "toyaml", "totoml", "typeof", "kindof", "empty", "default", "coalesce":
		return m.pick(strings.Fields(kinds)...)
	}
	return m.pick("text", "text", "whole", "real", "truth", "list", "entries", "nothing")
}

func (m *maker) isLiteral(kind string) bool {
	return slices.Contains([]string{"text", "whole", "real", "truth"}, kind)
}

func (m *maker) literal(kind string) string {
	switch kind {
	case "whole":
		return strconv.Itoa(m.IntN(12) - 2)
	case "real":
		return m.pick("0.5", "1.5", "-2.25", "1e3", "3.0")
	case "truth":
		return m.pick("true", "false")
	}
	return strconv.Quote(m.text())
}

// giving finds a function whose result has the type.
func (m *maker) giving(want reflect.Type) string {
	for range 20 {
		name := callable[m.IntN(len(callable))]
		if want.Kind() == reflect.Interface || functionTypes[name].Out(0).AssignableTo(want) {
			return name
		}
	}
	return ""
}
