package main

import (
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/Masterminds/sprig/v3"

	"github.com/hashicorp/consul-template/config"
	"github.com/hashicorp/consul-template/dependency"
	consul "github.com/hashicorp/consul-template/template"
)

// consulFunctions is consul-template's own map, which it does not export. Its way in, Template.Execute, has no dot for the
// data of a case, and names every template "".
//
//go:linkname consulFunctions github.com/hashicorp/consul-template/template.funcMap
func consulFunctions(*consulInput) template.FuncMap

// consulInput has the fields of the struct that consulFunctions takes.
type consulInput struct {
	newTmpl          *template.Template
	brain            *consul.Brain
	env              []string
	extFuncMap       map[string]any
	functionDenylist []string
	sandboxPath      string
	destination      string
	used             *dependency.Set
	missing          *dependency.Set
	config           *config.Config
}

// consulNow is what consul-template's own tests fix.
//
//go:linkname consulNow github.com/hashicorp/consul-template/template.now
var consulNow func() time.Time

// theTime is when every template is executed; the test says the same.
var theTime = time.Date(2024, time.February, 29, 13, 7, 9, 123_000_000, time.UTC)

func init() {
	time.Local = time.UTC
	consulNow = func() time.Time { return theTime }
}

// backed are the functions that ask a backend or the file system. `plugin` and `writeToFile` are left out on purpose.
var backed = strings.Fields(`datacenters exportedServices importedServices file key keyExists keyOrDefault ls safeLs node nodes
	partitions peerings secret secrets service connect services tree safeTree caRoots caLeaf pkiCert nomadServices nomadService
	nomadVarList nomadVarListSafe nomadVar nomadVarExists plugin writeToFile`)

// functionsFor makes all functions: consul-template's, where sprig's have a prefix, and sprig's without it where the
// name is free.
func functionsFor(t *template.Template, env []string) template.FuncMap {
	functions := consulFunctions(&consulInput{newTmpl: t, brain: consul.NewBrain(), env: env, used: &dependency.Set{}, missing: &dependency.Set{}})
	for _, name := range backed {
		delete(functions, name)
	}
	for name, function := range sprig.HermeticTxtFuncMap() {
		if isFree(name, functions) {
			functions[name] = function
		}
	}
	return functions
}

// isFree says whether sprig's function may have the name without the prefix.
func isFree(name string, functions template.FuncMap) bool {
	_, isTaken := functions[name]
	return !isTaken && !slices.Contains(backed, name) && name != "slice"
}

// consulOnly is there to look names up in.
var consulOnly = consulFunctions(&consulInput{newTmpl: template.New(""), brain: consul.NewBrain()})

// Names are the functions that there are rows for.
type Names struct {
	Consul []string `json:"consul"`
	Sprig  []string `json:"sprig"`   // each also with the prefix
	Taken  []string `json:"clashes"` // of those, the ones that mean sprig's only with the prefix
}

func names() Names {
	functions := maps.Clone(consulOnly)
	var n Names
	for name := range sprig.HermeticTxtFuncMap() {
		n.Sprig = append(n.Sprig, name)
		delete(functions, "sprig_"+name)
	}
	for name := range functions {
		if !slices.Contains(backed, name) {
			n.Consul = append(n.Consul, name)
		}
	}
	for _, name := range n.Sprig {
		if !isFree(name, functions) {
			n.Taken = append(n.Taken, name)
		}
	}
	slices.Sort(n.Consul)
	slices.Sort(n.Sprig)
	slices.Sort(n.Taken)
	return n
}
