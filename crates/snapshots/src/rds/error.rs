//! What RDS answers when it refuses, sorted by its error code. A code that nobody has heard of is no success and no passing
//! fault.

use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};

use crate::error::SnapshotError;

/// What a call fails with.
pub(super) type Refusal<E> = SdkError<E, HttpResponse>;

/// Nothing is wrong with the request: it may be made again as it is.
const PASSING: &[&str] = &[
    "ExpiredToken",
    "InsufficientDBClusterCapacity",
    "InsufficientDBInstanceCapacity",
    "InsufficientStorageClusterCapacity",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "PriorRequestNotComplete",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeout",
    "ServiceUnavailable",
    "Throttled",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TransactionInProgress",
];

/// The thing itself is missing, not something that it was to be made with.
const NOT_FOUND: &[&str] = &[
    "DBClusterAutomatedBackupNotFound",
    "DBClusterNotFound",
    "DBClusterSnapshotNotFound",
    "DBInstanceAutomatedBackupNotFound",
    "DBInstanceNotFound",
    "DBSnapshotNotFound",
];

const EXISTS: &[&str] = &[
    "DBClusterAlreadyExists",
    "DBClusterSnapshotAlreadyExists",
    "DBInstanceAlreadyExists",
    "DBSnapshotAlreadyExists",
];

const DENIED: &[&str] = &[
    "AccessDenied",
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClient",
];

/// The state is wrong, now: of what is worked on, or of what it needs.
const INVALID_STATE: &[&str] = &[
    "DBInstanceNotReady",
    "InvalidDBClusterAutomatedBackupState",
    "InvalidDBClusterSnapshotState",
    "InvalidDBClusterState",
    "InvalidDBInstanceAutomatedBackupState",
    "InvalidDBInstanceState",
    "InvalidDBParameterGroupState",
    "InvalidDBSnapshotState",
    "InvalidGlobalClusterState",
    "InvalidOptionGroupState",
    "InvalidResourceState",
];

/// The request itself, or what it names beside the thing it is about.
const MALFORMED: &[&str] = &[
    "DBParameterGroupNotFound",
    "DBClusterParameterGroupNotFound",
    "DBSubnetGroupDoesNotCoverEnoughAZs",
    "DBSubnetGroupNotAllowed",
    "DBSubnetGroupNotFound",
    "InvalidDBSubnetGroup",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "InvalidRestore",
    "InvalidSubnet",
    "InvalidVPCNetworkState",
    "MissingParameter",
    "NetworkTypeNotSupported",
    "OptionGroupNotFound",
    "StorageTypeNotSupported",
    "UnsupportedDBEngineVersion",
    "ValidationError",
];

/// The error of a verb that was about `subject`.
pub(super) fn of<E>(subject: &str, error: Refusal<E>) -> SnapshotError
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(answer) => {
            let meta = answer.err().meta();
            if meta.code().is_none() && answer.raw().status().is_server_error() {
                return SnapshotError::Passing(format!("{subject}: RDS cannot answer"));
            }
            by_code(subject, meta.code().unwrap_or_default(), meta.message().unwrap_or_default())
        }
        // The connection, or the credentials that a request is signed with; the latter only are nobody's passing fault.
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            SnapshotError::Passing(format!("{subject}: RDS could not be reached"))
        }
        SdkError::DispatchFailure(_) => SnapshotError::Denied(format!(
            "{subject}: the request could not be signed or sent\n(hint: look at the role and its trust policy)"
        )),
        SdkError::TimeoutError(_) => {
            SnapshotError::Passing(format!("{subject}: RDS did not answer in time"))
        }
        SdkError::ResponseError(_) => {
            SnapshotError::Passing(format!("{subject}: the answer of RDS could not be read"))
        }
        _ => SnapshotError::Other(format!("{subject}: the request could not be built")),
    }
}

/// The sort of an error code. RDS writes some with `Fault` behind them and some without.
fn by_code(subject: &str, code: &str, message: &str) -> SnapshotError {
    let stem = code.strip_suffix("Fault").or_else(|| code.strip_suffix("Exception"));
    let stem = stem.unwrap_or(code);
    let is = |known: &[&str]| known.contains(&stem) || known.contains(&code);
    let text = match (code, message) {
        ("", _) => format!("{subject}: RDS refused without a reason"),
        (code, "") => format!("{subject}: {code}"),
        (code, message) => format!("{subject}: {code}: {message}"),
    };
    if is(NOT_FOUND) {
        SnapshotError::NotFound(subject.to_owned())
    } else if is(EXISTS) {
        SnapshotError::Exists(subject.to_owned())
    } else if is(PASSING) {
        SnapshotError::Passing(text)
    } else if is(INVALID_STATE) {
        SnapshotError::InvalidState(text)
    } else if stem == "KMSKeyNotAccessible" {
        SnapshotError::KeyNotAccessible(text)
    } else if stem.ends_with("QuotaExceeded") {
        SnapshotError::Quota(text)
    } else if is(DENIED) {
        SnapshotError::Denied(text)
    } else if is(MALFORMED) {
        SnapshotError::Malformed(text)
    } else {
        SnapshotError::Other(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(code: &str) -> &'static str {
        match by_code("shop", code, "why") {
            SnapshotError::NotFound(_) => "not found",
            SnapshotError::Exists(_) => "exists",
            SnapshotError::InvalidState(_) => "state",
            SnapshotError::Malformed(_) => "malformed",
            SnapshotError::KeyNotAccessible(_) => "key",
            SnapshotError::Quota(_) => "quota",
            SnapshotError::Denied(_) => "denied",
            SnapshotError::Passing(_) => "passing",
            SnapshotError::Other(_) => "other",
        }
    }

    #[test]
    fn a_code_means_the_same_with_fault_behind_it() {
        for list in [NOT_FOUND, EXISTS, INVALID_STATE, MALFORMED] {
            for code in list {
                assert_eq!(sort(code), sort(&format!("{code}Fault")), "{code}");
            }
        }
    }

    #[test]
    fn every_code_of_the_quotas_is_a_quota() {
        for code in [
            "SnapshotQuotaExceeded",
            "SharedSnapshotQuotaExceeded",
            "InstanceQuotaExceeded",
            "StorageQuotaExceeded",
            "DBClusterQuotaExceededFault",
            "DBInstanceAutomatedBackupQuotaExceeded",
        ] {
            assert_eq!(sort(code), "quota", "{code}");
        }
        assert_eq!(sort("RequestLimitExceeded"), "passing");
    }

    #[test]
    fn what_is_missing_beside_the_thing_is_not_the_thing() {
        assert_eq!(sort("DBInstanceNotFound"), "not found");
        assert_eq!(sort("DBSubnetGroupNotFoundFault"), "malformed");
        assert_eq!(sort("OptionGroupNotFoundFault"), "malformed");
    }

    #[test]
    fn an_unheard_of_code_is_no_success_and_not_tried_again() {
        assert_eq!(sort("QuantumFault"), "other");
        assert_eq!(sort(""), "other");
        assert_eq!(sort("InvalidVPCNetworkStateFault"), "malformed");
        assert_eq!(sort("AccessDeniedException"), "denied");
    }
}
