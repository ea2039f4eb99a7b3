// SPDX-License-Identifier: Apache-2.0

// Command members tells what Go's archive/tar, which engines use, reads in archives.
//
// Standard input is a row of archives, each behind its length in four bytes, big-endian.
// For each there is one line of JSON on standard output.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
)

// Names may be any bytes: JSON has those in base64.
type member struct {
	Name  []byte
	Type  byte
	Size  int64
	Link  []byte
	Uid   int
	Gid   int
	Major int64
	Minor int64
}

type reading struct {
	Members []member
	Fault   string
}

func read(archive []byte) (found reading) {
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err == nil {
			// Content that is cut off shows only to those who take it.
			_, err = io.Copy(io.Discard, reader)
		}
		if err != nil {
			found.Fault = err.Error()
			return found
		}
		found.Members = append(found.Members, member{
			[]byte(header.Name), header.Typeflag, header.Size, []byte(header.Linkname),
			header.Uid, header.Gid, header.Devmajor, header.Devminor,
		})
	}
}

func main() {
	input, output := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer output.Flush()
	for {
		var size uint32
		if err := binary.Read(input, binary.BigEndian, &size); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		archive := make([]byte, size)
		if _, err := io.ReadFull(input, archive); err != nil {
			log.Fatal(err)
		}
		if err := json.NewEncoder(output).Encode(read(archive)); err != nil {
			log.Fatal(err)
		}
	}
}
