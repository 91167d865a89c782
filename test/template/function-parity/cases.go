package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// A reader reads a file of cases, whose format README.md describes.
type reader struct {
	file    string
	section string
	count   int
	setting setting
	common  setting          // what stands before the first section, for all of them
	list    string           // the list that indented lines add to
	text    *strings.Builder // the template between `begin` and `finish`
	cases   []Case
}

type setting struct {
	Case                      // what the next templates get
	lists map[string][]string // what `@name@` stands for
}

func readCases(file string, in io.Reader) ([]Case, error) {
	r := reader{file: file, setting: setting{Case{Data: "null"}, map[string][]string{}}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		if err := r.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
	}
	return r.cases, lines.Err()
}

func (r *reader) start(section string) {
	if r.section == "" {
		r.common = r.setting
	}
	r.section, r.count, r.list = section, 0, ""
	r.setting = setting{r.common.Case, maps.Clone(r.common.lists)}
}

func (r *reader) line(line string) (err error) {
	if r.text != nil && line != "finish" {
		r.text.WriteString(line + "\n")
		return nil
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "begin":
		r.text = &strings.Builder{}
	case "finish":
		err = r.add(r.text.String())
		r.text = nil
	case "", "#":
		if strings.HasPrefix(line, "  ") {
			r.setting.lists[r.list] = append(r.setting.lists[r.list], line[2:])
		}
	case "==":
		r.start(rest)
	case ">":
		err = r.add(rest)
	case "quoted":
		if rest, err = strconv.Unquote(rest); err == nil {
			err = r.add(rest)
		}
	case "each":
		r.list = "@" + rest + "@"
		r.setting.lists[r.list] = nil
	case "data":
		var compact bytes.Buffer
		if err = json.Compact(&compact, []byte(rest)); err == nil {
			r.setting.Data = compact.String()
			_, err = decodeValue(rest)
		}
	case "env":
		r.setting.Env = strings.Split(rest, " ")
	case "differs":
		r.setting.Differs, r.setting.IsSame = nil, rest == "not"
		if rest != "" && rest != "not" {
			r.setting.Differs = json.RawMessage(rest)
		}
	default:
		err = fmt.Errorf("no such word: %q", word)
	}
	return err
}

// add adds a template, once for each combination of the lists that it mentions.
func (r *reader) add(text string) error {
	for mark, items := range r.setting.lists {
		// The first mark in the text varies slowest; the others are replaced when add is called again.
		if at := strings.Index(text, mark); at < 0 || !r.isFirst(text, at) {
			continue
		}
		for _, item := range items {
			if err := r.add(strings.ReplaceAll(text, mark, item)); err != nil {
				return err
			}
		}
		return nil
	}
	if mark := unknownMark.FindString(text); mark != "" {
		return fmt.Errorf("no such list: %s", mark)
	}
	c := r.setting.Case
	r.count++
	c.Row, c.Text = fmt.Sprintf("%s: %s %d", r.file, r.section, r.count), text
	r.cases = append(r.cases, c)
	return nil
}

var unknownMark = regexp.MustCompile(`@\w+@`)

func (r *reader) isFirst(text string, at int) bool {
	for mark := range r.setting.lists {
		if other := strings.Index(text, mark); other >= 0 && other < at {
			return false
		}
	}
	return true
}
