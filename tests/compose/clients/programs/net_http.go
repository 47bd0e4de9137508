// SPDX-License-Identifier: MIT
// net_http URL FOLDER - Go's net/http with a form that mime/multipart writes while it is sent. HTTP/2 where TLS offers it.
package main

import (
	"bufio"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"strings"
)

var quotes = strings.NewReplacer("\\", "\\\\", `"`, "\\\"")

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// CreateFormFile of the library, but with a type.
func create(form *multipart.Writer, words []string) io.Writer {
	if words[0] == "value" {
		w, err := form.CreateFormField(words[1])
		must(err)
		return w
	}
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, quotes.Replace(words[1]), quotes.Replace(words[3])))
	head.Set("Content-Type", words[4])
	w, err := form.CreatePart(head)
	must(err)
	return w
}

func write(form *multipart.Writer, folder string, to *io.PipeWriter) {
	lines, err := os.Open(folder + "/form.tsv")
	must(err)
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		words := strings.Split(scanner.Text(), "\t")
		data, err := os.Open(words[2])
		must(err)
		if _, err = io.Copy(create(form, words), data); err != nil {
			return // an answer came before the end
		}
		data.Close()
	}
	must(form.Close())
	must(to.Close())
}

func main() {
	body, to := io.Pipe()
	form := multipart.NewWriter(to)
	go write(form, os.Args[2], to)
	answer, err := http.Post(os.Args[1], form.FormDataContentType(), body)
	must(err)
	fmt.Println(answer.StatusCode)
	_, err = io.Copy(os.Stdout, answer.Body)
	must(err)
}
