// PORT FILE: makes the calls that the file holds as JSON, with grpc-go, and prints what came of each as a line of JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const service = "heddle.test.Echo"

type scenario struct {
	Name         string
	Method       string
	Sizes        []int
	Metadata     map[string]string
	DeadlineMs   int
	CancelAfter  int
	IsCompressed bool
}

type outcome struct {
	Name       string `json:"name"`
	Code       int    `json:"code"`
	Details    string `json:"details"`
	Count      int    `json:"count"`
	Bytes      int    `json:"bytes"`
	IsIntact   bool   `json:"isIntact"`
	Header     string `json:"header"`
	Trailer    string `json:"trailer"`
	Received   string `json:"received"`
	DeadlineMs string `json:"deadlineMs"`
}

// Messages are bytes.
type raw struct{}

func (raw) Name() string                  { return "raw" }
func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func payload(size int) []byte {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i*31 + size)
	}
	return content
}

func first(md metadata.MD, name string) string {
	if values := md.Get(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func call(connection *grpc.ClientConn, s scenario) outcome {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.DeadlineMs > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.DeadlineMs)*time.Millisecond)
		defer cancel()
	}
	for name, value := range s.Metadata {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	options := []grpc.CallOption{grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(1 << 30)}
	if s.IsCompressed {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	result := outcome{Name: s.Name, IsIntact: true}
	description := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	stream, err := connection.NewStream(ctx, description, fmt.Sprintf("/%s/%s", service, s.Method), options...)
	send := func(size int) {
		message := payload(size)
		if err == nil {
			// What goes wrong here is told by the next message that is awaited.
			_ = stream.SendMsg(&message)
		}
	}
	if err == nil {
		if s.Method != "Bidi" {
			go func() {
				for _, size := range s.Sizes {
					send(size)
				}
				_ = stream.CloseSend()
			}()
		} else {
			send(s.Sizes[0])
		}
		for err == nil {
			var message []byte
			if err = stream.RecvMsg(&message); err != nil {
				break
			}
			result.Count++
			result.Bytes += len(message)
			result.IsIntact = result.IsIntact && bytes.Equal(message, payload(len(message)))
			if result.Count == s.CancelAfter {
				cancel()
			} else if s.Method == "Bidi" && result.Count < len(s.Sizes) {
				send(s.Sizes[result.Count])
			} else if s.Method == "Bidi" {
				_ = stream.CloseSend()
			}
		}
		if header, failure := stream.Header(); failure == nil {
			result.Header = first(header, "x-echo")
		}
		trailer := stream.Trailer()
		result.Trailer = first(trailer, "x-echo-bin")
		result.Received = first(trailer, "x-received")
		result.DeadlineMs = first(trailer, "x-deadline-ms")
	}
	if err != io.EOF {
		ended := status.Convert(err)
		result.Code, result.Details = int(ended.Code()), ended.Message()
	}
	return result
}

func main() {
	file, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	var scenarios []scenario
	if err := json.Unmarshal(file, &scenarios); err != nil {
		panic(err)
	}
	target := "passthrough:///127.0.0.1:" + os.Args[1]
	connection, err := grpc.Dial(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	output := json.NewEncoder(os.Stdout)
	for _, s := range scenarios {
		if err := output.Encode(call(connection, s)); err != nil {
			panic(err)
		}
	}
}
