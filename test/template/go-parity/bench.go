package main

import (
	"fmt"

	"outrigger/go-parity/cost"
)

var workloads = []cost.Workload{
	{
		Name: "a list of 1,000 lines",
		Text: "{{range .lines}}{{.name}} {{.port}}\n{{end}}",
		Dot:  `{lines: for i of 0…999: {name: "host-" + i, port: 8000 + i}}`,
		Data: map[string]any{"lines": cost.ListOf(1000, host)},
	},
	{
		Name: "a map of 10,000 keys",
		Text: "{{range $key, $value := .entries}}{{$key}}={{$value}}\n{{end}}",
		Dot:  `{entries: for i of 0…9999: "key-" + i: "value-" + i}`,
		Data: map[string]any{"entries": entriesOf(10_000)},
	},
	{
		Name: "200 function calls",
		Text: `{{range .lines}}{{printf "%s:%05d" .name .port}} {{len .tags}} {{index .tags 1}} {{eq .name "host-7"}}` + "\n{{end}}",
		Dot:  `{lines: for i of 0…49: {name: "host-" + i, port: 8000 + i, tags: ["a", "tag-" + i]}}`,
		Data: map[string]any{"lines": cost.ListOf(50, tagged)},
	},
	{
		Name: "100 branches in branches",
		Text: `{{range $i, $line := .lines}}{{if .tags}}{{with .meta}}{{if and .zone (ne .zone "z-3")}}{{range $.zones}}{{if eq . $line.meta.zone}}` +
			`{{$i}} {{$line.name}} in {{.}}{{else}}-{{end}}{{end}}{{else}}none{{end}}{{end}}{{else}}untagged{{end}}` + "\n{{end}}",
		Dot:  `{zones: ["z-0", "z-1", "z-2"], lines: for i of 0…99: {name: "host-" + i, tags: i % 5 == 0 ? [] : ["a"], meta: {zone: "z-" + i % 4}}}`,
		Data: map[string]any{"zones": []any{"z-0", "z-1", "z-2"}, "lines": cost.ListOf(100, zoned)},
	},
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
