package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// later is what of the contract is not in the schema yet: types, and fields of
// types. What works moves out of here; the test fails for what stayed by mistake.
var later = []string{
	"Image.triggers", "ImageTriggers", "ImageTriggersInput",
	"CreateImageInput.triggers", "UpdateImageInput.triggers",
}

func TestSchemaKeepsTheContract(t *testing.T) {
	contract, schema := load(t, "testdata/contract.graphqls"), load(t, "*.graphqls")
	excused := map[string]bool{}
	for _, name := range later {
		excused[name] = true
	}
	for _, want := range ours(contract) {
		got := schema.Types[want.Name]
		switch {
		case excused[want.Name] && got != nil:
			t.Errorf("%s is in the schema: take it off the list", want.Name)
		case excused[want.Name]:
		case got == nil:
			t.Errorf("%s is missing", want.Name)
		default:
			compare(t, want, got, excused)
		}
		delete(excused, want.Name)
	}
	for name := range excused {
		t.Errorf("%s is on the list and not in the contract", name)
	}
}

// compare holds one type to the contract; what it excuses it takes off excused.
func compare(t *testing.T, want, got *ast.Definition, excused map[string]bool) {
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
		case excused[name] && has != nil:
			t.Errorf("%s is in the schema: take it off the list", name)
		case excused[name]:
		case has == nil:
			t.Errorf("%s is missing", name)
		default:
			same(t, name, field.Type, has.Type, field.DefaultValue, has.DefaultValue)
			compareArguments(t, name, field.Arguments, has.Arguments)
		}
		delete(excused, name)
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
