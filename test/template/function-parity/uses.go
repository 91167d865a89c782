package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/Masterminds/sprig/v3"
)

// usesOf lists the functions that a template calls, beside Go's own.
func usesOf(t *template.Template) []string {
	uses := []string{}
	for _, each := range t.Templates() {
		for _, identifier := range identifiersOf(each.Tree) {
			if !isGo(identifier.Ident) && !slices.Contains(uses, identifier.Ident) {
				uses = append(uses, identifier.Ident)
			}
		}
	}
	slices.Sort(uses)
	return uses
}

func isGo(name string) bool {
	return slices.Contains(strings.Fields("and or not len index slice print printf println html js urlquery call eq ne lt le gt ge"), name)
}

// identifiersOf finds the names of functions in a template, whatever they are part of.
func identifiersOf(tree *parse.Tree) (found []*parse.IdentifierNode) {
	if tree == nil || tree.Root == nil {
		return nil
	}
	var visit func(reflect.Value)
	visit = func(value reflect.Value) {
		switch value.Kind() {
		case reflect.Interface:
			visit(value.Elem())
		case reflect.Slice:
			for i := range value.Len() {
				visit(value.Index(i))
			}
		case reflect.Pointer:
			if value.IsNil() || value.Type() == reflect.TypeFor[*parse.Tree]() {
				return
			}
			if identifier, ok := value.Interface().(*parse.IdentifierNode); ok {
				found = append(found, identifier)
				return
			}
			visit(value.Elem())
		case reflect.Struct:
			for i := range value.NumField() {
				if value.Type().Field(i).IsExported() {
					visit(value.Field(i))
				}
			}
		}
	}
	visit(reflect.ValueOf(tree.Root))
	return found
}

// prefixedPerKind is how many cases of a kind of each of sprig's functions are recorded with the prefix, too.
var prefixedPerKind = map[kind]int{ordinary: 4, empty: 2, failing: 4}

// A kind of case says what is looked at.
type kind int

const (
	ordinary kind = iota
	empty
	failing
)

var emptyArgument = regexp.MustCompile(`""|\bnil\b|\((list|dict)\)|\.(e|n|none|empty|missing)\b`)

func kindOf(c Case) kind {
	if row, _ := run(c, asInGo); row.Output == nil {
		return failing
	}
	if emptyArgument.MatchString(c.Text) {
		return empty
	}
	return ordinary
}

// withPrefix makes some cases again, with sprig's functions under their other name.
func withPrefix(cases []Case) (prefixed []Case) {
	isSprig := sprig.HermeticTxtFuncMap()
	type counted struct {
		name string
		kind kind
	}
	counts := map[counted]int{}
	for _, c := range cases {
		t := template.New("t")
		t, err := t.Funcs(functionsFor(t, nil)).Parse(c.Text)
		if err != nil {
			continue
		}
		identifiers := slices.DeleteFunc(identifiersOf(t.Tree), func(identifier *parse.IdentifierNode) bool {
			return isSprig[identifier.Ident] == nil || !isFree(identifier.Ident, consulOnly)
		})
		if len(identifiers) == 0 {
			continue
		}
		kind := kindOf(c)
		text := c.Text
		isWanted := false
		slices.SortFunc(identifiers, func(a, b *parse.IdentifierNode) int { return int(b.Pos - a.Pos) })
		for _, identifier := range identifiers {
			each := counted{identifier.Ident, kind}
			isWanted = isWanted || counts[each] < prefixedPerKind[kind]
			counts[each]++
			text = text[:identifier.Pos] + "sprig_" + text[identifier.Pos:]
		}
		if isWanted {
			c.Row, c.Text = fmt.Sprintf("prefixed: %s", c.Row), text
			prefixed = append(prefixed, c)
		}
	}
	return prefixed
}
