package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/hashicorp/consul-template/dependency"
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
		return slices.Clip(raw), nil // spew prints the capacity, which nobody should depend on
	case map[string]any:
		for tag, content := range raw {
			if len(raw) == 1 && len(tag) > 1 && tag[0] == '$' {
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
	case "$keypairs":
		return keyPairsFrom(content)
	case "$services":
		return servicesFrom(content)
	}
	return nil, fmt.Errorf("no such tag: %s", tag)
}

// keyPairsFrom makes what `ls` and `tree` return.
func keyPairsFrom(content any) (any, error) {
	pairs := []*dependency.KeyPair{}
	for _, item := range content.([]any) {
		words := item.([]any)
		pairs = append(pairs, &dependency.KeyPair{Path: words[0].(string), Key: words[1].(string), Value: words[2].(string)})
	}
	return pairs, nil
}

// servicesFrom makes what `service` returns; the fields that are not given have their zero value.
func servicesFrom(content any) (any, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	services := []*dependency.HealthService{}
	return services, decoder.Decode(&services)
}
