package main

import (
	"fmt"

	"outrigger/go-parity/cost"
)

var workloads = []cost.Workload{{
	Name: "200 calls of library functions",
	Text: `{{range .lines}}{{toUpper .name}} {{.tags | split "," | join ";"}} {{.text | trimSpace | replaceAll "o" "0"}} ` +
		`{{default "none" .none}} {{quote .name}} {{b64enc .name}} {{.port | add 1}} {{trimPrefix "host-" .name}}` + "\n{{end}}",
	Dot: `{lines: for i of 0…19: {name: "host-" + i, port: 8000 + i, tags: "a,b,tag-" + i, text: "  some words of no import  ", none: ""}}`,
	Data: map[string]any{"lines": cost.ListOf(20, func(i int) any {
		return map[string]any{
			"name": fmt.Sprintf("host-%d", i), "port": 8000 + i, "tags": fmt.Sprintf("a,b,tag-%d", i),
			"text": "  some words of no import  ", "none": "",
		}
	})},
}}
