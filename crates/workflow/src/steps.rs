//! What a machine's tasks call: steps by name, typed on the inside, JSON on the outside.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::step_error::StepError;

/// The steps of one account. A step begins something or looks at something, and never waits; called twice with the same
/// input it leaves what one call leaves.
pub trait Steps: Sync {
    /// The names, which are those of the handlers and, in a definition, of the functions: `${FindSnapshot}`.
    const NAMES: &'static [&'static str];

    /// Carries out a step.
    fn call(
        &self,
        step: &str,
        input: Value,
    ) -> impl Future<Output = Result<Value, StepError>> + Send;
}

/// Carries out a typed step: its input read strictly, its output written.
pub async fn typed<I: DeserializeOwned, O: Serialize>(
    input: Value,
    step: impl AsyncFnOnce(I) -> Result<O, StepError>,
) -> Result<Value, StepError> {
    let input = serde_json::from_value(input)
        .map_err(|error| StepError::Fatal(format!("the input is not of this step: {error}")))?;
    let output = step(input).await?;
    serde_json::to_value(output)
        .map_err(|error| StepError::Fatal(format!("the output cannot be written: {error}")))
}

/// The error of a step that is not there.
pub fn unknown(step: &str) -> StepError {
    StepError::Fatal(format!("there is no step `{step}`"))
}

/// The steps of a world, as a table of names and modules that each have a function `step`: what is in it can be called, and
/// nothing else.
#[macro_export]
macro_rules! steps {
    ($world:ident over $port:path: $($name:literal => $step:ident,)*) => {
        impl<S: $port> $crate::Steps for $world<S> {
            const NAMES: &'static [&'static str] = &[$($name),*];

            async fn call(
                &self,
                step: &str,
                input: ::serde_json::Value,
            ) -> Result<::serde_json::Value, $crate::StepError> {
                match step {
                    $($name => {
                        $crate::steps::typed(input, async |input| $step::step(self, input).await).await
                    })*
                    other => Err($crate::steps::unknown(other)),
                }
            }
        }
    };
}
