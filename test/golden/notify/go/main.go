// Renders the cases of ../cases.json with Go's own text/template and prints what it answers, for ../golden.json:
//
//	cd test/golden/notify/go && go run . < ../cases.json > ../golden.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/template"
)

// The same values as in src/notify/template/golden.test.ts.
type event struct {
	EventId           string
	EventType         string
	Resources         []string
	DurationInSeconds int
}

type data struct {
	Event      event
	NodeName   string
	NodeLabels map[string]string
	NodePods   []string
	Message    string
	Pods       int
	Policy     string
	None       []string
	Yes        bool
	Counts     map[string]int
}

type answer struct {
	Template string  `json:"template"`
	Text     *string `json:"text,omitempty"`
	// Parse: it is refused where it is read. Run: what it does with these values is an error.
	Fails string `json:"fails,omitempty"`
}

func main() {
	values := data{
		Event:      event{"ev-1", "Preempt", []string{"vm_0", "vm_1"}, -1},
		NodeName:   "worker-1",
		NodeLabels: map[string]string{"zone": "eu-1", "app.kubernetes.io/name": "x", "empty": ""},
		NodePods:   []string{"web-1", "web-2", "db-0"},
		Message:    "quoted \"text\" with <tags> & 'more'\nand a line, \u00e9\u4e16\u754c",
		Pods:       3,
		Policy:     "nightly",
		Yes:        true,
		Counts:     map[string]int{"b": 2, "a": 1},
	}
	functions := template.FuncMap{
		"upper":     strings.ToUpper,
		"lower":     strings.ToLower,
		"trim":      strings.TrimSpace,
		"join":      func(separator string, list []string) string { return strings.Join(list, separator) },
		"contains":  func(part, text string) bool { return strings.Contains(text, part) },
		"hasPrefix": func(part, text string) bool { return strings.HasPrefix(text, part) },
		"hasSuffix": func(part, text string) bool { return strings.HasSuffix(text, part) },
		"replace":   func(from, to, text string) string { return strings.ReplaceAll(text, from, to) },
		"quote":     func(value any) string { return strconv.Quote(fmt.Sprint(value)) },
		"default": func(fallback any, value any) any {
			if truth, _ := template.IsTrue(value); truth {
				return value
			}
			return fallback
		},
		"toJson": func(value any) (string, error) {
			var buffer bytes.Buffer
			encoder := json.NewEncoder(&buffer)
			encoder.SetEscapeHTML(false)
			err := encoder.Encode(value)
			return strings.TrimSuffix(buffer.String(), "\n"), err
		},
	}
	var cases []string
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	answers := []answer{}
	for _, text := range cases {
		answers = append(answers, render(text, functions, values))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(answers); err != nil {
		panic(err)
	}
}

func render(text string, functions template.FuncMap, values data) answer {
	parsed, err := template.New("case").Funcs(functions).Parse(text)
	if err != nil {
		return answer{Template: text, Fails: "Parse"}
	}
	var buffer bytes.Buffer
	if err := parsed.Execute(&buffer, values); err != nil {
		return answer{Template: text, Fails: "Run"}
	}
	result := buffer.String()
	return answer{Template: text, Text: &result}
}
