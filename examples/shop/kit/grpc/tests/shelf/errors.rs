//! Errors as statuses and back.

use std::time::Duration;

use kit::{Context, Failure, FieldError, Kind, OperationError};
use kit_grpc::{error, status};
use tonic::{Code, Status};

use crate::{
    calls::{Rehearsed, client, id, reserve},
    contract::*,
};

#[test]
fn every_kind_has_its_code_and_comes_back() {
    for (kind, code) in Kind::ALL.into_iter().zip([
        Code::InvalidArgument,
        Code::PermissionDenied,
        Code::NotFound,
        Code::AlreadyExists,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::ResourceExhausted,
        Code::Unavailable,
        Code::Unauthenticated,
        Code::DeadlineExceeded,
        Code::Unimplemented,
        Code::Internal,
    ]) {
        let failure = Failure::new(kind, "ärgerlich").retry_after(Duration::from_millis(1500));
        let status = status(&failure);
        assert_eq!((status.code(), status.message()), (code, "ärgerlich"));
        let back: Failure = error(status);
        assert_eq!(back, failure);
        assert_eq!(back.retry_after, failure.retry_after);
    }
    for (code, kind) in
        [(Code::OutOfRange, Kind::Invalid), (Code::Unknown, Kind::Internal), (Code::Cancelled, Kind::Unavailable)]
    {
        assert_eq!(error::<Failure>(Status::new(code, "")).kind, kind);
    }
}

#[tokio::test]
async fn a_declared_error_comes_back_with_its_data() {
    let short = |text: &str| ReserveError::OutOfStock(Shortage { left: 3, text: text.into() });
    for (quantity, expected) in [(1, short("nötig")), (2, ReserveError::Closed)] {
        let refuse = |input: Reserve| match input.quantity {
            1 => Err(ReserveError::OutOfStock(Shortage { left: 3, text: "nötig".into() })),
            _ => Err(ReserveError::Closed),
        };
        let (client, _) = client(Rehearsed { reserve: refuse, ..Rehearsed::default() }).await;
        assert_eq!(client.reserve(&Context::default(), id(), reserve(quantity)).await, Err(expected));
    }
    let stranger: Failure = error(status(&short("x")));
    assert_eq!((stranger.kind, stranger.code.as_deref()), (Kind::Conflict, Some("OutOfStock")));
}

#[tokio::test]
async fn causes_stay_here_and_fields_travel() {
    let fields = |count: usize, text: &str| -> Failure {
        let field = |index| FieldError { field: format!("lines[{index}]"), detail: text.into() };
        Failure::fields((0..count).map(field).collect())
    };
    let (client, _) =
        client(Rehearsed { get: |_| Err(Failure::internal(anyhow::anyhow!("password=1234"))), ..Rehearsed::default() })
            .await;
    let failure = client.get_item(&Context::default(), id()).await.unwrap_err();
    assert!(!format!("{failure:?}").contains("1234"), "{failure:?}");

    let back: Failure = error(status(&fields(2, "wrong")));
    assert_eq!(back, fields(2, "wrong"));
}

#[tokio::test]
async fn a_status_fits_into_the_headers_whatever_is_wrong() {
    let get = |_: &Context| {
        let field = |index| FieldError { field: format!("lines[{index}]"), detail: "ö".repeat(10_000) };
        let many = Failure::fields((0..10_000).map(field).collect());
        Err(Failure { detail: "ü".repeat(100_000), ..many })
    };
    let refuse = |_: Reserve| Err(ReserveError::OutOfStock(Shortage { left: 3, text: "x".repeat(100_000) }));
    let (client, _) = client(Rehearsed { get, reserve: refuse, ..Rehearsed::default() }).await;
    let failure = client.get_item(&Context::default(), id()).await.unwrap_err();
    assert_eq!((failure.kind, failure.detail), (Kind::Invalid, "ü".repeat(512)));
    assert!(failure.fields.len() > 5 && failure.fields[5].field == "lines[5]");
    let refused = client.reserve(&Context::default(), id(), reserve(1)).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.failure().and_then(|f| f.code.as_deref())),
        (Kind::Conflict, Some("OutOfStock"))
    );
}

#[test]
fn foreign_details_are_read_as_far_as_they_go() {
    let garbage = Status::with_details(Code::Aborted, "x", vec![255_u8, 1, 2].into());
    assert_eq!(error::<Failure>(garbage), Failure::new(Kind::Stale, "x"));
}
