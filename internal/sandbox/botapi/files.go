package botapi

import (
	"bytes"
	"image"
	_ "image/gif"  // the formats of photos
	_ "image/jpeg" // "
	_ "image/png"  // "
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pkg/errors"
)

func (f *file) photo() PhotoSize {
	return PhotoSize{FileID: f.ID, FileUniqueID: f.UniqueID, Width: f.Width, Height: f.Height, FileSize: f.Size}
}

func (f *file) document() *Document {
	return &Document{FileID: f.ID, FileUniqueID: f.UniqueID, FileName: f.Name, MimeType: f.Mime, FileSize: f.Size}
}

// fileArgument finds or stores the file of an argument: an upload under the argument's own name, attach://name for
// another one, or the id of a file that the bot has. Addresses are refused: the sandbox fetches nothing.
func (s *Server) fileArgument(c *call, kind, field, value string) (*file, error) {
	name := field
	if attached, ok := strings.CutPrefix(value, "attach://"); ok {
		name = attached
	}
	if sent, ok := c.args.files[name]; ok {
		return s.storeFile(c, kind, sent)
	}
	switch {
	case value == "":
		return nil, badRequest("there is no %s in the request", kind)
	case strings.HasPrefix(value, "http://"), strings.HasPrefix(value, "https://"):
		return nil, badRequest("failed to get HTTP URL content")
	}
	f := s.state.files[value]
	if f == nil || f.BotKey != c.bot.Key {
		return nil, badRequest("wrong remote file identifier specified: can't unserialize it. Wrong last symbol")
	}
	if kind == "photo" && f.Width == 0 {
		return nil, badRequest("can't use file of type Document as Photo")
	}
	return f, nil
}

// kindsByName are the types of documents that Telegram tells by the name, where the content is just text.
var kindsByName = map[string]string{".csv": "text/csv", ".json": "application/json", ".txt": "text/plain"}

func (s *Server) storeFile(c *call, kind string, sent upload) (*file, error) {
	if len(sent.data) == 0 {
		return nil, badRequest("file must be non-empty")
	}
	f := &file{
		UniqueID: "AQAD" + randomID(8), Name: sent.name, Size: len(sent.data), BotKey: c.bot.Key,
		Mime: http.DetectContentType(sent.data),
	}
	folder := "documents"
	if kind == "photo" {
		folder = "photos"
		if len(sent.data) > maxPhotoBytes {
			return nil, &apiError{Code: http.StatusRequestEntityTooLarge, Description: "Request Entity Too Large"}
		}
		size, _, err := image.DecodeConfig(bytes.NewReader(sent.data))
		if err != nil {
			return nil, badRequest("IMAGE_PROCESS_FAILED")
		}
		if size.Width+size.Height > 10_000 || size.Width > 20*size.Height || size.Height > 20*size.Width {
			return nil, badRequest("PHOTO_INVALID_DIMENSIONS")
		}
		f.Width, f.Height = size.Width, size.Height
		f.ID = "AgACAgIAAxk" + randomID(20)
	} else {
		if len(sent.data) > maxFileBytes {
			return nil, &apiError{Code: http.StatusRequestEntityTooLarge, Description: "Request Entity Too Large"}
		}
		f.ID = "BQACAgIAAxk" + randomID(20)
		if named := kindsByName[strings.ToLower(filepath.Ext(sent.name))]; named != "" {
			f.Mime = named
		}
	}
	f.Path = folder + "/file_" + f.UniqueID + strings.ToLower(filepath.Ext(filepath.Base(sent.name)))
	if s.files == "" {
		f.data = sent.data
	} else if err := writeWhole(filepath.Join(s.files, f.ID), sent.data); err != nil {
		return nil, err
	}
	s.state.files[f.ID] = f
	c.put("file/"+f.ID, f)
	return f, nil
}

func writeWhole(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return errors.Wrap(err, "make folder of files")
	}
	return errors.Wrap(os.WriteFile(path, data, 0o600), "store file")
}

func (s *Server) getFile(c *call) (any, error) {
	id := c.args.text("file_id")
	if id == "" {
		return nil, badRequest("file_id not specified")
	}
	f := s.state.files[id]
	if f == nil || f.BotKey != c.bot.Key {
		return nil, badRequest("invalid file_id")
	}
	return map[string]any{"file_id": f.ID, "file_unique_id": f.UniqueID, "file_size": f.Size, "file_path": f.Path}, nil
}

// writeFile sends a stored file; never as something that a browser would run.
func (s *Server) writeFile(w http.ResponseWriter, r *http.Request, f *file) {
	data := f.data
	if s.files != "" {
		var err error
		if data, err = os.ReadFile(filepath.Join(s.files, f.ID)); err != nil {
			writeAnswer(w, nil, "", badRequest("wrong file_id or the file is temporarily unavailable"))
			return
		}
	}
	kind := "application/octet-stream"
	if f.Width > 0 {
		kind = f.Mime
	} else if f.Name != "" {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
