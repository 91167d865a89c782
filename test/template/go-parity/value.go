package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// decodeValue reads typed JSON; see README.md for the encoding.
func decodeValue(text string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return fromJSON(raw)
}

func fromJSON(raw any) (any, error) {
	switch raw := raw.(type) {
	case json.Number:
		if n, err := strconv.Atoi(raw.String()); err == nil {
			return n, nil
		}
		return strconv.ParseFloat(raw.String(), 64)
	case []any:
		for i, item := range raw {
			value, err := fromJSON(item)
			if err != nil {
				return nil, err
			}
			raw[i] = value
		}
	case map[string]any:
		for tag, content := range raw {
			if len(raw) == 1 && tag[:min(1, len(tag))] == "$" {
				return fromTagged(tag, content)
			}
			value, err := fromJSON(content)
			if err != nil {
				return nil, err
			}
			raw[tag] = value
		}
	}
	return raw, nil
}

func fromTagged(tag string, content any) (any, error) {
	switch text, _ := content.(string); tag {
	case "$float":
		return strconv.ParseFloat(text, 64)
	case "$uint":
		return strconv.ParseUint(text, 10, 64)
	case "$int":
		return strconv.Atoi(text)
	case "$bytes":
		content, err := base64.StdEncoding.DecodeString(text)
		return string(content), err
	case "$struct":
		return pairFrom(content.([]any))
	}
	return nil, fmt.Errorf("no such tag: %s", tag)
}

func pairFrom(content []any) (any, error) {
	fields := content[1].([]any)
	if content[0] != "Pair" || len(fields) != 2 {
		return nil, fmt.Errorf("no such struct: %v", content)
	}
	value, err := fromJSON(fields[1].([]any)[1])
	return pairOf(fields[0].([]any)[1].(string), value), err
}

// pairOf stands for the structs that template functions return. Their fields are seldom interfaces, and Go's messages tell the
// difference, so Value is of the value's own type; all of the types are called main.Pair, since they are local ones.
func pairOf(key string, value any) any {
	switch value := value.(type) {
	case string:
		type Pair struct{ Key, Value string }
		return Pair{key, value}
	case bool:
		type Pair struct {
			Key   string
			Value bool
		}
		return Pair{key, value}
	case int:
		type Pair struct {
			Key   string
			Value int
		}
		return Pair{key, value}
	case uint64:
		type Pair struct {
			Key   string
			Value uint64
		}
		return Pair{key, value}
	case float64:
		type Pair struct {
			Key   string
			Value float64
		}
		return Pair{key, value}
	case []any:
		type Pair struct {
			Key   string
			Value []any
		}
		return Pair{key, value}
	case map[string]any:
		type Pair struct {
			Key   string
			Value map[string]any
		}
		return Pair{key, value}
	}
	type Pair struct {
		Key   string
		Value any
	}
	return Pair{key, value}
}

// fieldsOf is the inverse of pairOf.
func fieldsOf(value any) (key string, inner any, ok bool) {
	pair := reflect.ValueOf(value)
	if pair.Kind() != reflect.Struct {
		return "", nil, false
	}
	return pair.Field(0).String(), pair.Field(1).Interface(), true
}

// encodeValue is the inverse of decodeValue, up to how numbers are spelled.
func encodeValue(value any) json.RawMessage {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(toJSON(value)))
	return bytes.TrimSpace(text.Bytes())
}

func toJSON(value any) any {
	switch value := value.(type) {
	case int:
		if value > 1<<53-1 || value < -(1<<53-1) {
			return map[string]any{"$int": strconv.Itoa(value)}
		}
	case uint64:
		return map[string]any{"$uint": strconv.FormatUint(value, 10)}
	case float64:
		return map[string]any{"$float": strconv.FormatFloat(value, 'g', -1, 64)}
	case string:
		return bytesOrText(value)
	case []any:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = toJSON(item)
		}
		return items
	case map[string]any:
		entries := make(map[string]any, len(value))
		for key, item := range value {
			entries[key] = toJSON(item)
		}
		return entries
	}
	if key, inner, ok := fieldsOf(value); ok {
		return map[string]any{"$struct": []any{"Pair", []any{[]any{"Key", toJSON(key)}, []any{"Value", toJSON(inner)}}}}
	}
	return value
}
