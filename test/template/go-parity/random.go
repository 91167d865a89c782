package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
)

// A maker makes templates that mostly fit their data: it walks the data as it writes, so that what it writes can be evaluated,
// and goes astray now and then, so that errors are met in the midst of things.
type maker struct {
	*rand.Rand
	root      any
	variables []variable
	defined   []string
	ranges    int // how many ranges are open
	budget    int // how many more actions may be written
}

type variable struct {
	name  string
	value any
}

func randomCases(seed uint64, count int) []Case {
	cases := make([]Case, count)
	for i := range cases {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, uint64(i))), budget: 12}
		m.root = m.value(3)
		text := m.body(m.root)
		for _, name := range m.defined {
			text += `{{define "` + name + `"}}` + m.trimmed("print . ") + `{{end}}`
		}
		if m.chance(25) {
			text = m.mutated(text)
		}
		cases[i] = Case{Row: fmt.Sprintf("random %d: %d", seed, i), Name: "t", Text: text, Data: m.root}
		if m.chance(30) {
			cases[i].MissingKey = m.pick("zero", "error", "default")
		}
	}
	return cases
}

func (m *maker) chance(percent int) bool       { return m.IntN(100) < percent }
func (m *maker) pick(choices ...string) string { return choices[m.IntN(len(choices))] }
func (m *maker) times(f func() string) (all string) {
	for range 1 + m.IntN(3) {
		all += f()
	}
	return all
}

// value makes a value that nests at most depth deep; the outermost is a map.
func (m *maker) value(depth int) any {
	switch kind := m.IntN(12); {
	case depth == 3 || depth > 0 && kind < 3:
		entries := map[string]any{}
		for _, key := range strings.Split("a b c d e Key é", " ") {
			if m.chance(20 + 20*depth) {
				entries[key] = m.value(depth - 1)
			}
		}
		return entries
	case depth > 0 && kind < 6:
		items := make([]any, m.IntN(4))
		for i := range items {
			items[i] = m.value(depth - 1)
		}
		return items
	case kind == 6 && depth > 0:
		value := m.value(depth - 1)
		if _, _, ok := fieldsOf(value); ok {
			value = nil
		}
		return pairOf(m.pick("", "k", "<é>"), value)
	}
	return m.scalar()
}

func (m *maker) scalar() any {
	switch m.IntN(9) {
	case 0:
		return nil
	case 1:
		return m.chance(50)
	case 2:
		return math.Float64frombits(m.Uint64())
	case 3:
		return float64(m.IntN(2000)-1000) / 8
	case 4:
		return m.Uint64() >> m.IntN(64)
	case 5:
		return int(m.Uint64()) >> m.IntN(64)
	case 6:
		return m.IntN(6)
	}
	return m.pick("", "s", "a b", "é☺𝄞", "<a href='x'>&\"", "l1\nl2\t", "%d%s", "\xff\xc3", "a=1&b=2", "0")
}

// body makes some text and actions.
func (m *maker) body(dot any) string {
	scope := len(m.variables)
	text := m.times(func() string {
		return m.pick("", "", " ", "\n", "  text\n", "-", "é ") + m.action(dot) + m.pick("", "", " ", "\n  ", ",")
	})
	m.variables = m.variables[:scope]
	return text
}

func (m *maker) action(dot any) string {
	if m.budget--; m.budget < 0 {
		return m.pick("", "end", "{{.}}", "{{/* comment */}}")
	}
	switch m.IntN(14) {
	case 0, 1:
		return m.branch("if", dot, dot)
	case 2:
		from, value := m.path(dot)
		return m.control("with "+from, m.body(value), dot)
	case 3, 4, 5:
		return m.loop(dot)
	case 6, 7:
		return m.assignment(dot)
	case 8:
		name := m.pick("x", "y", "z w")
		if len(m.defined) == 0 || m.chance(30) {
			m.defined = append(m.defined, name)
		}
		return m.trimmed(`template "` + m.pick(append(m.defined, m.defined...)...) + `" ` + m.pipeline(dot))
	case 9:
		if m.ranges > 0 {
			return m.trimmed("if "+m.pipeline(dot)) + m.trimmed(m.pick("break", "continue")) + "{{end}}"
		}
	}
	return m.trimmed(m.pipeline(dot))
}

func (m *maker) branch(word string, dot, inner any) string {
	return m.control(word+" "+m.pipeline(dot), m.body(inner), dot)
}

func (m *maker) control(head, body string, dot any) string {
	text := m.trimmed(head) + body
	if m.chance(20) && strings.HasPrefix(head, "if ") {
		text += m.trimmed("else if "+m.pipeline(dot)) + m.body(dot)
	}
	if m.chance(40) {
		text += m.trimmed("else") + m.body(dot)
	}
	return text + m.trimmed("end")
}

func (m *maker) loop(dot any) string {
	from, over := m.path(dot)
	var keys, values []any
	switch value := over.(type) {
	case []any:
		for i, item := range value {
			keys, values = append(keys, i), append(values, item)
		}
	case map[string]any:
		for _, key := range sorted(value) {
			keys, values = append(keys, key), append(values, value[key])
		}
	default:
		from, keys, values = m.pick("3", "(list 1 2)", from, "(list . .)"), []any{0}, []any{dot}
		if !strings.HasPrefix(from, "(") {
			from, values = "2", []any{1}
		}
	}
	if len(values) == 0 {
		keys, values = []any{0}, []any{nil}
	}
	at, scope := m.IntN(len(values)), len(m.variables)
	head := "range " + from
	switch m.IntN(3) {
	case 0:
		name := m.name()
		head = "range " + name + " := " + from
		m.variables = append(m.variables, variable{name, values[at]})
	case 1:
		if from != "2" {
			key, name := m.name(), m.name()
			head = "range " + key + ", " + name + " := " + from
			m.variables = append(m.variables, variable{key, keys[at]}, variable{name, values[at]})
		}
	}
	m.ranges++
	body := m.body(values[at])
	m.ranges--
	m.variables = m.variables[:scope]
	return m.control(head, body, dot)
}

func (m *maker) assignment(dot any) string {
	from, value := m.path(dot)
	if len(m.variables) > 0 && m.chance(40) {
		known := m.variables[m.IntN(len(m.variables))]
		return m.trimmed(known.name + " = " + from)
	}
	name := m.name()
	m.variables = append(m.variables, variable{name, value})
	return m.trimmed(name + " := " + from)
}

func (m *maker) name() string { return m.pick("$x", "$y", "$z", "$é1") }

// path writes something that has a value, and gives the value as far as it is known.
func (m *maker) path(dot any) (string, any) {
	text, value := ".", dot
	switch pick := m.IntN(10); {
	case pick < 3:
		text, value = "$", m.root
	case pick < 6 && len(m.variables) > 0:
		known := m.variables[m.IntN(len(m.variables))]
		text, value = known.name, known.value
	}
	for range m.IntN(4) {
		if key, inner, ok := fieldsOf(value); ok {
			field := m.pick("Key", "Value")
			if text, value = strings.TrimSuffix(text, ".")+"."+field, inner; field == "Key" {
				value = key
			}
			continue
		}
		switch inner := value.(type) {
		case map[string]any:
			keys := append(sorted(inner), "q")
			key := keys[m.IntN(len(keys)-m.IntN(2)*min(1, len(keys)-1))]
			text, value = strings.TrimSuffix(text, ".")+"."+key, inner[key]
		case []any:
			if len(inner) > 0 {
				at := m.IntN(len(inner))
				text, value = "(index "+text+" "+strconv.Itoa(at)+")", inner[at]
			}
		}
	}
	return text, value
}

func sorted(entries map[string]any) []string {
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func (m *maker) operand(dot any) string {
	if m.chance(30) {
		return m.pick("1", "0", "-2", `"s"`, "`r`", "true", "1.5", "'c'", `"%v|%d"`, "0x1F", "1e3", `""`)
	}
	if m.chance(15) {
		return "(" + m.pipeline(dot) + ")"
	}
	text, _ := m.path(dot)
	return text
}

func (m *maker) pipeline(dot any) string {
	text := m.command(dot)
	for m.chance(25) {
		text += m.pick(" | ", "|", " |") + m.pick("print", "printf \"%v\"", "html", "js", "urlquery", "not", "list", "echo", "len", "println", "printf \"%q\"", "and 1", "or 0", "eq 1", "text")
	}
	return text
}

func (m *maker) command(dot any) string {
	a, b := func() string { return m.operand(dot) }, func() string { return " " + m.operand(dot) }
	switch m.IntN(24) {
	case 0, 1:
		return m.pick("print ", "println ", "list ") + a() + m.times(b)
	case 2, 3:
		return "printf " + m.format() + m.times(b)
	case 4:
		return m.pick("eq ", "ne ") + a() + b()
	case 5:
		return m.pick("lt ", "le ", "gt ", "ge ") + a() + b()
	case 6, 7:
		return m.pick("and ", "or ") + a() + m.times(b)
	case 8:
		return m.pick("not ", "len ", "html ", "js ", "urlquery ", "echo ", "text ", "items ", "entries ") + a()
	case 9:
		return m.pick("index ", "slice ") + a() + b()
	}
	return a()
}

func (m *maker) format() string {
	format := m.times(func() string {
		return m.pick("", " ", "x", "%%") + "%" + m.pick("", "", "+", "-", "#", "0", " ") + m.pick("", "", "5", "12", "[1]") +
			m.pick("", "", ".2", ".0") + m.pick("v", "v", "d", "s", "q", "x", "X", "g", "f", "e", "t", "T", "c", "U", "b", "o", "z")
	})
	return strconv.Quote(format)
}

// trimmed writes an action, sometimes with trim markers and with more space.
func (m *maker) trimmed(inside string) string {
	return "{{" + m.pick("", "", "", "- ", " ", "\n") + strings.TrimSpace(inside) + m.pick("", "", "", " -", " ", "\n") + "}}"
}

// mutated spoils a text in one place.
func (m *maker) mutated(text string) string {
	if text == "" {
		return text
	}
	at := m.IntN(len(text))
	end := min(len(text), at+1+m.IntN(3))
	switch m.IntN(3) {
	case 0:
		return text[:at] + text[end:]
	case 1:
		return text[:at] + m.pick("{{", "}}", "\"", "`", "(", ")", "|", " ", "-", ".", "$", "\n", "'", "0", "end", "/*", "é", ":=", ",", "{{end}}", "{{else}}") + text[at:]
	}
	return text[:end] + text[at:]
}
