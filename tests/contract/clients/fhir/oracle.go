// Program oracle reads resources, one a line, and writes the errors of google/fhir for each. With the
// argument ANALYTICS or ANALYTICS_V2 it writes the rows of BigQuery instead, null for one without.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"

	"github.com/google/fhir/go/fhirversion"
	"github.com/google/fhir/go/jsonformat"
)

type issue struct{ Path, Details, Diagnostics string }

func issues(err error) []issue {
	list := []issue{}
	if err == nil {
		return list
	}
	value := reflect.ValueOf(err)
	if value.Kind() == reflect.Slice {
		for i := 0; i < value.Len(); i++ {
			list = append(list, one(value.Index(i)))
		}
		return list
	}
	return append(list, one(value))
}

func one(value reflect.Value) issue {
	if value.Kind() == reflect.Ptr && value.Elem().Kind() == reflect.Struct && value.Elem().FieldByName("Details").IsValid() {
		e := value.Elem()
		return issue{e.FieldByName("Path").String(), e.FieldByName("Details").String(), e.FieldByName("Diagnostics").String()}
	}
	return issue{Details: value.Interface().(error).Error()}
}

func marshaller() *jsonformat.Marshaller {
	make := jsonformat.NewAnalyticsMarshallerWithInferredSchema
	if os.Args[1] == "ANALYTICS_V2" {
		make = jsonformat.NewAnalyticsV2MarshallerWithInferredSchema
	}
	made, err := make(0, fhirversion.R4)
	if err != nil {
		panic(err)
	}
	return made
}

func main() {
	unmarshaller, err := jsonformat.NewUnmarshaller("UTC", fhirversion.R4)
	if err != nil {
		panic(err)
	}
	var rows *jsonformat.Marshaller
	if len(os.Args) > 1 {
		rows = marshaller()
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, end := in.ReadBytes('\n')
		if len(line) > 0 {
			resource, err := unmarshaller.Unmarshal(line)
			text, _ := json.Marshal(issues(err))
			if rows != nil {
				text = []byte("null")
				if err == nil {
					if row, err := rows.Marshal(resource); err == nil {
						text = row
					}
				}
			}
			out.Write(append(text, '\n'))
		}
		if end != nil {
			return
		}
	}
}
