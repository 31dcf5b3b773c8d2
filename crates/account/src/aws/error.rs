//! What a service answers when it refuses, as one of three kinds. A code that nobody has heard of is no passing fault.

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};

use crate::error::AccountError;

/// Nothing is wrong with the request: it may be made again as it is.
const PASSING: &[&str] = &[
    "ConditionalRequestConflict",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalException",
    "KmsThrottlingException",
    "OperationAborted",
    "RequestExpired",
];

/// A limit of the account, which the SDK takes for one of speed.
const QUOTA: &str = "LimitExceededException";

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "KmsAccessDeniedException",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// The error of a request that was to do a task: `read the secret …`.
pub(super) fn of<E>(task: &str, error: SdkError<E, HttpResponse>) -> AccountError
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(answer) => {
            let (status, meta) = (answer.raw().status().as_u16(), answer.err().meta());
            by_code(task, status, meta.code().unwrap_or_default(), meta.message())
        }
        // The connection, or the credentials that a request is signed with; the latter are nobody's passing fault.
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            AccountError::Passing(format!("could not {task}: AWS could not be reached"))
        }
        SdkError::DispatchFailure(_) => AccountError::Denied(format!(
            "could not {task}: the request could not be signed or sent\n(hint: look at the role and its trust policy)"
        )),
        SdkError::TimeoutError(_) => {
            AccountError::Passing(format!("could not {task}: AWS did not answer in time"))
        }
        SdkError::ResponseError(_) => unreadable(task),
        _ => AccountError::Other(format!("could not {task}: the request could not be built")),
    }
}

/// An answer that broke off, or was not a service's.
pub(super) fn unreadable(task: &str) -> AccountError {
    AccountError::Passing(format!("could not {task}: the answer could not be read"))
}

/// The error of a code, which may stand in an answer of another status.
pub(super) fn by_code(task: &str, status: u16, code: &str, message: Option<&str>) -> AccountError {
    let text = match (code, message) {
        ("", _) => format!("could not {task}: HTTP status {status}"),
        (code, None) => format!("could not {task}: {code}"),
        (code, Some(message)) => format!("could not {task}: {code}: {message}"),
    };
    let throttled = THROTTLING_ERRORS.contains(&code) && code != QUOTA;
    let passing = throttled || TRANSIENT_ERRORS.contains(&code) || PASSING.contains(&code);
    if passing || status == 429 || status >= 500 {
        AccountError::Passing(text)
    } else if DENIED.contains(&code) || status == 401 || status == 403 {
        AccountError::Denied(text)
    } else {
        AccountError::Other(text)
    }
}
