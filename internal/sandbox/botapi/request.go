package botapi

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Limits of one request.
const (
	maxRequestBytes = 52 << 20
	maxPhotoBytes   = 10 << 20
	maxFileBytes    = 50 << 20
)

// upload is one file of a multipart request.
type upload struct {
	name string
	data []byte
}

// arguments are a method's arguments whatever way they came in: like the Bot API server, numbers, booleans, objects and
// arrays are kept as their JSON text.
type arguments struct {
	values map[string]string
	files  map[string]upload
}

// readArguments takes the query string, a form, multipart/form-data or a JSON object.
func readArguments(w http.ResponseWriter, r *http.Request) (arguments, error) {
	args := arguments{values: map[string]string{}, files: map[string]upload{}}
	for key, values := range r.URL.Query() {
		args.values[key] = values[0]
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequestBytes)
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // none: no arguments in the body
	var err error
	switch kind {
	case "application/json":
		err = args.readJSON(r.Body)
	case "multipart/form-data":
		err = args.readMultipart(r, params["boundary"])
	case "application/x-www-form-urlencoded":
		err = unreadable(r.ParseForm())
		for key, values := range r.PostForm {
			args.values[key] = values[0]
		}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return args, &apiError{Code: http.StatusRequestEntityTooLarge, Description: "Request Entity Too Large"}
	}
	if err != nil {
		return args, err
	}
	for _, value := range args.values {
		if !utf8.ValidString(value) {
			return args, badRequest("strings must be encoded in UTF-8")
		}
	}
	return args, nil
}

func (a arguments) readJSON(body io.Reader) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return badRequest("can't parse JSON object")
	}
	for key, value := range fields {
		if string(value) == "null" {
			continue
		}
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		a.values[key] = text
	}
	return nil
}

func (a arguments) readMultipart(r *http.Request, boundary string) error {
	if boundary == "" {
		return badRequest("boundary not found")
	}
	reader, err := r.MultipartReader()
	if err != nil {
		return badRequest("can't parse the request's body")
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable(err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return unreadable(err)
		}
		if part.FileName() != "" {
			a.files[part.FormName()] = upload{name: part.FileName(), data: data}
		} else {
			a.values[part.FormName()] = string(data)
		}
	}
}

// unreadable keeps the error of a body that is too large and calls every other one a bad request.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return err
	}
	return badRequest("can't parse the request's body")
}

func (a arguments) text(name string) string { return a.values[name] }

func (a arguments) has(name string) bool {
	_, ok := a.values[name]
	return ok
}

// required gives the argument or the error that it is empty.
func (a arguments) required(name string) (string, error) {
	if a.values[name] == "" {
		return "", badRequest("parameter %q is required", name)
	}
	return a.values[name], nil
}

// integer clamps into [low, high]; what is no number counts as the default.
func (a arguments) integer(name string, preset, low, high int) int {
	value, err := strconv.Atoi(a.values[name])
	if err != nil {
		value = preset
	}
	return min(max(value, low), high)
}

func (a arguments) bool(name string) bool {
	value := strings.ToLower(a.values[name])
	return value == "true" || value == "yes" || value == "1"
}

func (a arguments) seconds(name string, low, high int) time.Duration {
	return time.Duration(a.integer(name, 0, low, high)) * time.Second
}

// object decodes a JSON argument; what names it in the error ("Can't parse prices JSON object").
func (a arguments) object(name, what string, target any) error {
	if a.values[name] == "" {
		return nil
	}
	if json.Unmarshal([]byte(a.values[name]), target) != nil {
		return badRequest("can't parse %s JSON object", what)
	}
	return nil
}
