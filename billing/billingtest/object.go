package billingtest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"math/big"
)

// object is one of Stripe's resources as its JSON says it.
type object = map[string]any

// number reads an integer, also one that came back from a file.
func number(o object, field string) int64 {
	switch n := o[field].(type) {
	case int64:
		return n
	case json.Number:
		value, _ := n.Int64()
		return value
	default:
		return 0
	}
}

func text(o object, field string) string {
	value, _ := o[field].(string)
	return value
}

func within(o object, field string) object {
	value, _ := o[field].(object)
	return value
}

// clone copies an object deeply.
func clone(o object) object {
	if o == nil {
		return object{}
	}
	return cloneValue(o).(object)
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case object:
		copied := make(object, len(v))
		for key, inner := range v {
			copied[key] = cloneValue(inner)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, inner := range v {
			copied[i] = cloneValue(inner)
		}
		return copied
	default:
		return v
	}
}

// decode reads JSON without losing digits.
func decode(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(into)
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newID makes an id such as cus_QX8tq9XsyTeDRW.
func newID(prefix string) string {
	id := []byte(prefix)
	for range 14 {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err)
		}
		id = append(id, alphabet[n.Int64()])
	}
	return string(id)
}

// orNil is JSON's null for an empty text.
func orNil(value string) any {
	if value == "" {
		return nil
	}
	return value
}
