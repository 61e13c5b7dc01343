package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

func TestSchemaKeepsTheContract(t *testing.T) {
	contract, schema := load(t, "testdata/contract.graphqls"), load(t, "*.graphqls")
	for _, want := range ours(contract) {
		if got := schema.Types[want.Name]; got != nil {
			compare(t, want, got)
		} else {
			t.Errorf("%s is missing", want.Name)
		}
	}
}

// compare holds one type to the contract.
func compare(t *testing.T, want, got *ast.Definition) {
	t.Helper()
	if got.Kind != want.Kind {
		t.Errorf("%s is %s, want %s", want.Name, got.Kind, want.Kind)
	}
	for _, name := range want.Interfaces {
		if !slices.Contains(got.Interfaces, name) {
			t.Errorf("%s does not implement %s", want.Name, name)
		}
	}
	for _, value := range want.EnumValues {
		if got.EnumValues.ForName(value.Name) == nil {
			t.Errorf("%s.%s is missing", want.Name, value.Name)
		}
	}
	for _, field := range want.Fields {
		name := want.Name + "." + field.Name
		has := got.Fields.ForName(field.Name)
		switch {
		case strings.HasPrefix(field.Name, "__"):
		case has == nil:
			t.Errorf("%s is missing", name)
		default:
			same(t, name, field.Type, has.Type, field.DefaultValue, has.DefaultValue)
			compareArguments(t, name, field.Arguments, has.Arguments)
		}
	}
	for _, field := range got.Fields {
		if want.Kind == ast.InputObject && want.Fields.ForName(field.Name) == nil && field.Type.NonNull && field.DefaultValue == nil {
			t.Errorf("%s.%s is not in the contract, whose clients do not send it: let it be optional", want.Name, field.Name)
		}
	}
}

func compareArguments(t *testing.T, name string, want, got ast.ArgumentDefinitionList) {
	t.Helper()
	for _, argument := range want {
		has := got.ForName(argument.Name)
		if has == nil {
			t.Errorf("%s(%s:) is missing", name, argument.Name)
			continue
		}
		same(t, name+"("+argument.Name+":)", argument.Type, has.Type, argument.DefaultValue, has.DefaultValue)
	}
	for _, argument := range got {
		if want.ForName(argument.Name) == nil && argument.Type.NonNull && argument.DefaultValue == nil {
			t.Errorf("%s(%s:) is not in the contract, whose clients do not send it: let it be optional", name, argument.Name)
		}
	}
}

func same(t *testing.T, name string, wantType, gotType *ast.Type, wantDefault, gotDefault *ast.Value) {
	t.Helper()
	if gotType.String() != wantType.String() {
		t.Errorf("%s is %s, want %s", name, gotType, wantType)
	}
	if gotDefault.String() != wantDefault.String() {
		t.Errorf("%s is %s where absent, want %s", name, gotDefault.String(), wantDefault.String())
	}
}
