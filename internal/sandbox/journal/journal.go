// Package journal keeps the state of the sandbox's servers on disk: keyed JSON records in one append-only file.
//
// Every Append is one write(2) of whole lines, so a record that was appended before an answer went out is there after a
// kill -9. A torn last line (the machine lost power) is cut off when the file is opened. The file is rewritten with its
// live records alone when it has grown to several times their number.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/pkg/errors"
)

// The file is compacted when it holds more than minLines lines and more than growth times its live records.
const (
	minLines = 20_000
	growth   = 4
)

// ErrClosed is returned for an Append after Close.
var ErrClosed = errors.New("journal is closed")

// Record is one keyed value; a nil Value deletes the key.
type Record struct {
	Key   string          `json:"k"`
	Value json.RawMessage `json:"v,omitempty"`
}

// Put makes a record of a value.
func Put(key string, value any) (Record, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return Record{}, errors.Wrapf(err, "encode record %s", key)
	}
	return Record{Key: key, Value: raw}, nil
}

// Delete makes a record that removes the key.
func Delete(key string) Record { return Record{Key: key} }

// Journal is an open file. A Journal without a path (see Open) accepts everything and keeps nothing.
type Journal struct {
	mu    sync.Mutex
	path  string
	file  *os.File
	lines int
	live  map[string]struct{}
	err   error // the first failed write: nothing is accepted after it
}

// Open reads the file at path (made when missing, mode 0600) and returns its live records. An empty path gives a
// journal in memory only.
func Open(path string) (*Journal, map[string]json.RawMessage, error) {
	j := &Journal{path: path, live: map[string]struct{}{}}
	if path == "" {
		return j, nil, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, errors.Wrap(err, "make journal folder")
	}
	records, lines, end, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the operator's folder
	if err != nil {
		return nil, nil, errors.Wrap(err, "open journal")
	}
	if err := file.Truncate(end); err != nil {
		_ = file.Close()
		return nil, nil, errors.Wrap(err, "cut torn end of journal")
	}
	j.file, j.lines = file, lines
	for key := range records {
		j.live[key] = struct{}{}
	}
	return j, records, nil
}

// Append writes the records, all or (after a power cut) a prefix of them. A failed write closes the journal for good:
// what the caller holds in memory and the file would differ.
func (j *Journal) Append(records ...Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	if j.path == "" || len(records) == 0 {
		return nil
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, record := range records {
		if err := encoder.Encode(record); err != nil {
			return errors.Wrapf(err, "encode record %s", record.Key)
		}
	}
	if _, err := j.file.Write(lines.Bytes()); err != nil {
		j.err = errors.Wrap(err, "write journal")
		return j.err
	}
	j.lines += len(records)
	for _, record := range records {
		if record.Value == nil {
			delete(j.live, record.Key)
		} else {
			j.live[record.Key] = struct{}{}
		}
	}
	if j.lines > minLines && j.lines > growth*len(j.live) {
		j.err = j.compact()
	}
	return j.err
}

// Close flushes the file to the disk and closes it. A second Close does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(j.err, ErrClosed) {
		return nil
	}
	j.err = ErrClosed
	if j.file == nil {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		_ = j.file.Close()
		return errors.Wrap(err, "sync journal")
	}
	return errors.Wrap(j.file.Close(), "close journal")
}

// compact writes the live records to a new file and puts it in place of the old one.
func (j *Journal) compact() error {
	records, _, _, err := read(j.path)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(j.path), filepath.Base(j.path)+".*")
	if err != nil {
		return errors.Wrap(err, "make compacted journal")
	}
	buffered := bufio.NewWriter(next)
	encoder := json.NewEncoder(buffered)
	for key, value := range records {
		if err = encoder.Encode(Record{Key: key, Value: value}); err != nil {
			break
		}
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(next.Name(), j.path)
	}
	if err != nil {
		_ = next.Close()
		_ = os.Remove(next.Name())
		return errors.Wrap(err, "write compacted journal")
	}
	_ = j.file.Close()
	j.file, j.lines = next, len(records)
	return nil
}

// read replays a file: its live records, the number of whole lines, and where the last of them ends.
func read(path string) (records map[string]json.RawMessage, lines int, end int64, err error) {
	records = map[string]json.RawMessage{}
	file, err := os.Open(path) //nolint:gosec // the operator's folder
	if errors.Is(err, os.ErrNotExist) {
		return records, 0, 0, nil
	}
	if err != nil {
		return nil, 0, 0, errors.Wrap(err, "read journal")
	}
	defer func() { _ = file.Close() }()
	reader := bufio.NewReaderSize(file, 1<<16)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return records, lines, end, nil // what follows the last newline is torn
		}
		if err != nil {
			return nil, 0, 0, errors.Wrap(err, "read journal")
		}
		var record Record
		if err := json.Unmarshal(line, &record); err != nil {
			return nil, 0, 0, errors.Wrapf(err, "journal %s is damaged at byte %d", path, end)
		}
		if record.Value == nil {
			delete(records, record.Key)
		} else {
			records[record.Key] = record.Value
		}
		lines, end = lines+1, end+int64(len(line))
	}
}
