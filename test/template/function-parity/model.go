package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"dario.cat/mergo"
	"github.com/hashicorp/consul-template/dependency"
)

// The other engine has fewer types than Go: one of integers beside uint64, one of lists, one of maps, and neither a list nor a map
// that is nil. Where Go's types are all that makes the difference, what to expect instead need not be written by hand: it
// is what comes out when the same functions have, and are given, only those types.

var (
	anyType   = reflect.TypeFor[any]()
	intType   = reflect.TypeFor[int]()
	listType  = reflect.TypeFor[[]any]()
	mapType   = reflect.TypeFor[map[string]any]()
	errorType = reflect.TypeFor[error]()

	channelType = reflect.TypeFor[<-chan int]()
)

// modelled makes functions that take and give only the model's types.
func modelled(functions template.FuncMap) template.FuncMap {
	all := template.FuncMap{}
	for name, function := range functions {
		all[name] = modelledFunction(strings.TrimPrefix(name, "sprig_"), reflect.ValueOf(function)).Interface()
	}
	return all
}

func modelledFunction(name string, function reflect.Value) reflect.Value {
	function = withoutOptions(function)
	original := function.Type()
	var in []reflect.Type
	for i := range original.NumIn() {
		if original.IsVariadic() && i == original.NumIn()-1 {
			in = append(in, reflect.SliceOf(modelledType(original.In(i).Elem())))
		} else {
			in = append(in, modelledType(original.In(i)))
		}
	}
	out := []reflect.Type{modelledType(original.Out(0)), errorType}
	return reflect.MakeFunc(reflect.FuncOf(in, out, original.IsVariadic()), func(given []reflect.Value) []reflect.Value {
		args := make([]reflect.Value, len(given))
		for i, each := range given {
			arg, err := unmodelled(name, each, original.In(i))
			if err != nil {
				return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
			}
			args[i] = arg
		}
		var results []reflect.Value
		if original.IsVariadic() {
			results = function.CallSlice(args)
		} else {
			results = function.Call(args)
		}
		if len(results) == 1 {
			results = append(results, reflect.Zero(errorType))
		}
		result := reflect.New(out[0]).Elem()
		if value := toModel(results[0]); value.IsValid() {
			result.Set(value)
		}
		return []reflect.Value{result, results[1]}
	})
}

// withoutOptions leaves out the functions that mergeMap takes at its end: no template can have one.
func withoutOptions(function reflect.Value) reflect.Value {
	merge, isMerge := function.Interface().(func(map[string]any, map[string]any, ...func(*mergo.Config)) (map[string]any, error))
	if !isMerge {
		return function
	}
	return reflect.ValueOf(func(to, from map[string]any) (map[string]any, error) { return merge(to, from) })
}

func modelledType(original reflect.Type) reflect.Type {
	switch original.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return intType
	case reflect.Slice:
		return listType
	case reflect.Map:
		if original.Key().Kind() == reflect.String || original.Key() == anyType {
			return mapType
		}
	case reflect.Chan:
		return channelType
	}
	return original
}

// toModel makes of a value the one that the model has for it; the very same, where that is possible.
func toModel(value reflect.Value) reflect.Value {
	if value.IsValid() && value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	if !value.IsValid() {
		return value
	}
	switch modelledType(value.Type()) {
	case channelType:
		return modelledChannel(value.Interface().(<-chan int64))
	case intType:
		return value.Convert(intType)
	case listType:
		list := reflect.MakeSlice(listType, value.Len(), value.Len())
		isSame := value.Type() == listType && !value.IsNil()
		for i := range value.Len() {
			item := toModel(value.Index(i))
			if item.IsValid() {
				list.Index(i).Set(item)
			}
			isSame = isSame && isIdentical(value.Index(i), item)
		}
		if isSame {
			return value
		}
		return list
	case mapType:
		entries := reflect.MakeMap(mapType)
		isSame := value.Type() == mapType && !value.IsNil()
		for _, key := range value.MapKeys() {
			item := toModel(value.MapIndex(key))
			isSame = isSame && isIdentical(value.MapIndex(key), item)
			if !item.IsValid() {
				item = reflect.Zero(anyType)
			}
			entries.SetMapIndex(keyText(key), item)
		}
		if isSame {
			return value
		}
		return entries
	}
	if value.Kind() == reflect.Pointer && value.Type().Elem().PkgPath() == dependencyPath {
		return withoutNil(value)
	}
	return value
}

func modelledChannel(original <-chan int64) reflect.Value {
	channel := make(chan int)
	go func() {
		for number := range original {
			channel <- int(number)
		}
		close(channel)
	}()
	return reflect.ValueOf((<-chan int)(channel))
}

var dependencyPath = reflect.TypeFor[dependency.KeyPair]().PkgPath()

// withoutNil gives the fields of a struct of a backend lists and maps that are empty, where they are nil.
func withoutNil(original reflect.Value) reflect.Value {
	clone := reflect.New(original.Type().Elem())
	clone.Elem().Set(original.Elem())
	for i := range clone.Elem().NumField() {
		clone.Elem().Field(i).Set(orEmpty(clone.Elem().Field(i)))
	}
	return clone
}

func orEmpty(value reflect.Value) reflect.Value {
	switch {
	case value.Kind() == reflect.Slice && value.IsNil():
		return reflect.MakeSlice(value.Type(), 0, 0)
	case value.Kind() == reflect.Map && value.IsNil():
		return reflect.MakeMap(value.Type())
	}
	return value
}

// keyText is how a key of a YAML map is written, which may be any scalar.
func keyText(key reflect.Value) reflect.Value {
	if key.Kind() == reflect.String {
		return key
	}
	if key.Elem().IsValid() {
		return reflect.ValueOf(fmt.Sprint(key.Interface()))
	}
	return reflect.ValueOf("null")
}

// isIdentical says whether nothing had to be made anew. The original is in an interface, if its container has the model's type.
func isIdentical(original, made reflect.Value) bool {
	if original.Kind() != reflect.Interface {
		return false
	}
	original = original.Elem()
	if !original.IsValid() || !made.IsValid() {
		return original.IsValid() == made.IsValid()
	}
	if original.Type() != made.Type() {
		return false
	}
	switch made.Kind() {
	case reflect.Slice, reflect.Map:
		return original.Pointer() == made.Pointer()
	}
	return true
}

// Sprig's functions on durations know int64 only, and take an int for nothing: with one type of integers, it is int64.
var wide = []string{"duration", "durationRound"}

// These know lists by the type of their items.
var typed = []string{"byTag", "byPort"}

// unmodelled makes of an argument what the original function takes.
func unmodelled(name string, value reflect.Value, want reflect.Type) (reflect.Value, error) {
	if want == anyType {
		if inner := value.Elem(); inner.IsValid() {
			if slices.Contains(wide, name) && inner.Kind() == reflect.Int {
				return reflect.ValueOf(inner.Int()), nil
			}
			if slices.Contains(typed, name) && inner.Type() == listType {
				if inner.Len() == 0 {
					return reflect.ValueOf([]*dependency.HealthService{}), nil
				}
				return unmodelled(name, inner, reflect.SliceOf(inner.Index(0).Elem().Type()))
			}
		}
		return value, nil
	}
	if value = orEmpty(value); value.Type() == want {
		return value, nil
	}
	switch want.Kind() {
	case reflect.Slice:
		list := reflect.MakeSlice(want, value.Len(), value.Len())
		for i := range value.Len() {
			item, err := unmodelledItem(name, value.Index(i), want.Elem())
			if err != nil {
				return value, err
			}
			list.Index(i).Set(item)
		}
		return list, nil
	case reflect.Map:
		entries := reflect.MakeMap(want)
		for _, key := range value.MapKeys() {
			item, err := unmodelledItem(name, value.MapIndex(key), want.Elem())
			if err != nil {
				return value, err
			}
			entries.SetMapIndex(key, item)
		}
		return entries, nil
	}
	return value.Convert(want), nil
}

func unmodelledItem(name string, item reflect.Value, want reflect.Type) (reflect.Value, error) {
	if item.Kind() == reflect.Interface && want.Kind() != reflect.Interface {
		item = item.Elem()
	}
	if !item.IsValid() {
		return item, fmt.Errorf("expected %s; found nil", modelledType(want))
	}
	if item.Type() != modelledType(want) {
		return item, fmt.Errorf("expected %s; got %s", modelledType(want), item.Type())
	}
	return unmodelled(name, item, want)
}
