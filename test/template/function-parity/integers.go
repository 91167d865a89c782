package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"text/template"
)

// withIntegers makes the functions that read JSON keep what is written as an integer one, on top of the model's types.
func withIntegers(functions template.FuncMap) template.FuncMap {
	parsers := template.FuncMap{}
	for _, name := range []string{"parseJSON", "fromJson", "mustFromJson", "sprig_fromJson", "sprig_mustFromJson"} {
		original := functions[name].(func(string) (any, error))
		parsers[name] = func(text string) (any, error) {
			value, err := original(text)
			if err != nil || value == nil || text == "" {
				return value, err
			}
			decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
			decoder.UseNumber()
			if err := decoder.Decode(&value); err != nil {
				return nil, err
			}
			return keepIntegers(value), nil
		}
	}
	return parsers
}

func keepIntegers(value any) any {
	switch value := value.(type) {
	case json.Number:
		text := value.String()
		if !strings.ContainsAny(text, ".eE") {
			if number, err := strconv.Atoi(text); err == nil {
				return number
			}
			if number, err := strconv.ParseUint(text, 10, 64); err == nil {
				return number
			}
		}
		number, _ := value.Float64()
		return number
	case []any:
		for i, item := range value {
			value[i] = keepIntegers(item)
		}
	case map[string]any:
		for key, item := range value {
			value[key] = keepIntegers(item)
		}
	}
	return value
}
