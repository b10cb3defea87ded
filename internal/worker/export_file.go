package worker

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
)

// byteOrderMark says to spreadsheets that a file is UTF-8.
const byteOrderMark = "\ufeff"

// sheet is one CSV file (RFC 4180, UTF-8) on the disk. It has no name there from the beginning, so that nothing of it stays,
// however the process ends.
type sheet struct {
	file    *os.File
	out     *bufio.Writer
	size    int64
	rows    int64
	isNamed bool // it could not be taken out of its folder yet
}

// newSheet begins a file with its first row.
func newSheet(header []byte) (*sheet, error) {
	file, err := os.CreateTemp("", "atlas-export-*.csv") // readable for nobody else
	if err != nil {
		return nil, fmt.Errorf("making a file: %w", err)
	}
	s := &sheet{file: file, out: bufio.NewWriterSize(file, 1<<16), isNamed: os.Remove(file.Name()) != nil}
	for _, text := range [][]byte{[]byte(byteOrderMark), header} {
		if err := s.write(text); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// add writes a row.
func (s *sheet) add(row []byte) error {
	s.rows++
	return s.write(row)
}

func (s *sheet) write(text []byte) error {
	n, err := s.out.Write(text)
	s.size += int64(n)
	if err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	return nil
}

// finish makes all of it readable.
func (s *sheet) finish() error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	return nil
}

func (s *sheet) close() {
	_ = s.file.Close()
	if s.isNamed { // where an open file cannot be taken out
		_ = os.Remove(s.file.Name())
	}
}

// rowWriter makes rows of CSV out of cells.
type rowWriter struct {
	buffer   bytes.Buffer
	csv      *csv.Writer
	cells    []string
	isNumber []bool // by column
}

func newRowWriter(header, numbers []string) *rowWriter {
	w := &rowWriter{cells: make([]string, len(header))}
	w.csv = csv.NewWriter(&w.buffer)
	for _, column := range header {
		w.isNumber = append(w.isNumber, slices.Contains(numbers, column))
	}
	return w
}

// row gives the bytes of one row; they are good until the next. Only the row's own end becomes CR LF: what people have
// written stays as it is, line breaks too.
func (w *rowWriter) row(cells []string) ([]byte, error) {
	if len(cells) != len(w.cells) {
		return nil, fmt.Errorf("a row of %d cells under %d columns", len(cells), len(w.cells))
	}
	for i, cell := range cells {
		if !w.isNumber[i] {
			cell = harmless(cell)
		}
		w.cells[i] = cell
	}
	w.buffer.Reset()
	_ = w.csv.Write(w.cells) // into memory
	w.csv.Flush()
	w.buffer.Truncate(w.buffer.Len() - 1)
	w.buffer.WriteString("\r\n")
	return w.buffer.Bytes(), nil
}

// What makes a formula of a cell, in its first place, and what may end a cell before it where a spreadsheet divides the
// file otherwise than it was meant (by semicolons in many languages, and then by line breaks in quotes, too).
const (
	formulaSigns = "=+-@\t\r＝＋－＠"
	cellEnds     = ";\t\r\n"
)

// harmless puts an apostrophe before whatever a spreadsheet would take for a formula.
func harmless(text string) string {
	if !strings.ContainsAny(text, formulaSigns) {
		return text
	}
	var safe strings.Builder
	isFirst := true
	for _, char := range text {
		if isFirst && strings.ContainsRune(formulaSigns, char) {
			safe.WriteByte('\'')
		}
		safe.WriteRune(char)
		isFirst = strings.ContainsRune(cellEnds, char)
	}
	return safe.String()
}
