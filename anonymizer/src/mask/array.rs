//! `array`: one function for every element.

use super::element::{nested, scratch};
use super::{
    Argument, Cell, Class, Function, Mask, MaskError, Parameter, ParameterKind, Prepared,
    Rejection, Request,
};
use crate::catalog::Kind;
use crate::identifier::Identifier;
use crate::value::Value;

/// `array`.
pub(super) static ARRAY: Function = Function {
    name: "array",
    class: Class::Pseudonymization,
    summary: "masks every element by a function of its own; the shape and NULL elements stay",
    fits: "arrays",
    accepts: |kind| matches!(kind, Kind::Array(_)),
    parameters: &[Parameter {
        name: "element",
        kind: ParameterKind::Rule,
        required: true,
        summary: "the function for the elements, which takes no `seed` here",
    }],
    keyed: false,
    localized: false,
    identifies: None,
    uniqueness: "unique where the element's function is",
    normalisation: "the element's",
    longest: "the element's",
    space: "the element's, for each element",
    prepare: array,
};

fn array(request: &Request<'_>) -> Result<Prepared, Rejection> {
    let (Kind::Array(inner), Some(Argument::Rule(rule))) =
        (request.kind, request.argument("element"))
    else {
        return Err(request.reject("element", "no element", "give `element` a function"));
    };
    let element = nested(request, rule, inner, "the elements")?;
    let looks_inside = !request.says_nothing_identifies();
    Ok(Prepared {
        longest: element.longest,
        unique: element.unique,
        ..Prepared::new(Array { element, looks_inside })
    })
}

struct Array {
    element: Prepared,
    /// The rule does not say that nothing in it identifies anybody.
    looks_inside: bool,
}

impl Mask for Array {
    fn apply<'b>(&self, cell: &Cell<'_>, _: &'b mut String) -> Result<Value<'b>, MaskError> {
        let Value::Array(items) = cell.value else {
            return Err(MaskError("value is not an array"));
        };
        let masked = items.iter().map(|item| match item {
            Value::Null => Ok(Value::Null),
            item => scratch(&self.element, item),
        });
        masked.collect::<Result<_, _>>().map(Value::Array)
    }

    fn leaves_parts(&self) -> bool {
        self.element.mask.leaves_parts()
    }

    fn identifies_parts(&self) -> bool {
        self.looks_inside && self.element.mask.identifies_parts()
    }

    fn parts(
        &self,
        value: &Value<'_>,
        show: &mut dyn FnMut(Identifier, &Value<'_>),
    ) -> Result<(), MaskError> {
        let Value::Array(items) = value else { return Ok(()) };
        items.iter().try_for_each(|item| match item {
            Value::Null => Ok(()),
            item => self.element.mask.parts(item, show),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::fixture::{Case, at, text};

    fn array_of(kind: Kind) -> Kind {
        Kind::Array(Box::new(kind))
    }

    #[test]
    fn masks_elements_as_the_function_would_and_leaves_nulls() {
        let element = Case::new("email", text());
        let case = Case::new("array", array_of(text())).with("element", element.clone());
        let array = Value::Array(vec![Value::Text("a@b.c".into()), Value::Null]);
        assert_eq!(case.mask(array), format!("{{{},NULL}}", element.mask_text("a@b.c")));
        assert_eq!(case.mask(Value::Array(vec![])), "{}");
    }

    #[test]
    fn rejects_what_does_not_fit_the_elements() {
        let case =
            Case::new("array", array_of(Kind::Bool)).with("element", Case::new("email", text()));
        insta::assert_snapshot!(case.rejection(), @r"
        `email` does not fit the elements
        (hint: it fits text)
        ");
        let mut seeded = Case::new("email", text());
        seeded.rule.seed = Some(at("id".into()));
        insta::assert_snapshot!(Case::new("array", array_of(text())).with("element", seeded).rejection(), @r"
        a rule inside another takes no `seed`
        (hint: leave it out)
        ");
    }
}
